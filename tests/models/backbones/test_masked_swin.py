import copy

import pytest
import torch
from mmaction.models.backbones import SwinTransformer3D

from mmpmg.models.backbones import MaskedSwinTransformer3D

ARCH = dict(embed_dims=12, depths=(2, 2, 2, 2), num_heads=(1, 2, 3, 4))
SMALL = dict(arch=ARCH, img_size=64, num_frames=4, window_size=(2, 4, 4))


def build(**options):
    torch.manual_seed(0)
    encoder = MaskedSwinTransformer3D(**{**SMALL, **options})
    encoder.init_weights()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return encoder.eval()


def clip(size=64, frames=4, seed=1):
    return torch.randn(2, 3, frames, size, size, generator=torch.Generator().manual_seed(seed))


def some_mask(share=0.5):
    return torch.rand(2, 2 * 8 * 8, generator=torch.Generator().manual_seed(2)) < share


@pytest.mark.parametrize("out_indices", [(3,), (1, 3), (1, 2, 3)])
def test_without_a_mask_it_is_mmaction_s_bit_for_bit(out_indices):
    ours = build(out_indices=out_indices)
    theirs = SwinTransformer3D(
        ARCH, pretrained2d=False, window_size=(2, 4, 4), out_indices=out_indices
    )
    theirs.eval()  # which returns nothing
    state = ours.state_dict()
    token = state.pop("mask_token")
    assert token.shape == (12,)
    theirs.load_state_dict(state, strict=True)
    for size, frames in ((64, 4), (64, 6), (50, 4)):
        with torch.no_grad():
            maps, expected = ours(clip(size, frames)), theirs(clip(size, frames))
            maps = maps if isinstance(maps, tuple) else (maps,)
            expected = expected if isinstance(expected, tuple) else (expected,)
            for one, other in zip(maps, expected, strict=True):
                assert torch.equal(one, other)
    nothing = torch.zeros(2, 128, dtype=torch.bool)
    with torch.no_grad():
        for one, other in zip(ours(clip(), nothing), ours(clip()), strict=True):
            assert torch.equal(one, other)


def test_without_a_mask_token_the_keys_are_mmaction_s():
    ours = MaskedSwinTransformer3D(**SMALL, with_mask_token=False)
    theirs = SwinTransformer3D(ARCH, pretrained2d=False, window_size=(2, 4, 4))
    assert set(ours.state_dict()) == set(theirs.state_dict())
    with pytest.raises(ValueError, match="model.backbone.with_mask_token=True"):
        ours(clip(), some_mask())


def test_output_ignores_masked_pixels_and_no_others():
    encoder, mask = build(out_indices=(1, 3)), some_mask()
    cells = mask.reshape(2, 1, 2, 8, 8)
    hidden = cells.repeat_interleave(2, 2).repeat_interleave(8, 3).repeat_interleave(8, 4)
    poisoned = clip().masked_fill(hidden, float("nan"))
    with torch.no_grad():
        before = encoder(clip(), mask)
        for one, other in zip(encoder(poisoned, mask), before):
            assert torch.equal(one, other)
        moved = encoder(torch.where(hidden, clip(), clip(seed=3)), mask)
        for one, other in zip(moved, before):
            assert (one - other).abs().max() > 0.01
        # One pixel of one visible token suffices.
        token = (~mask[0]).nonzero()[7].item()
        t, y, x = token // 64, token // 8 % 8, token % 8
        touched = clip()
        touched[0, 0, 2 * t, 8 * y + 7, 8 * x] += 3
        changed = [one - other for one, other in zip(encoder(touched, mask), before)]
        assert changed[0][0].abs().max() > 1e-3
        assert changed[0][1].abs().max() == 0


def test_masks_tell_tokens_apart_in_t_h_w_order():
    """Hiding one token is putting the mask token at its four patches, at no other place."""
    encoder, seen = build(), []
    encoder.pos_drop.register_forward_hook(lambda module, args, out: seen.append(out))
    mask = torch.zeros(2, 128, dtype=torch.bool)
    mask[1, 64 + 3 * 8 + 5] = True  # slot 1, row 3, column 5
    with torch.no_grad():
        encoder(clip())
        encoder(clip(), mask)
    changed = (seen[0] != seen[1]).any(1).nonzero().tolist()
    assert changed == [[1, 1, y, x] for y in (6, 7) for x in (10, 11)]
    assert torch.equal(seen[1][1, :, 1, 7, 11], encoder.mask_token)


@pytest.mark.parametrize("out_indices", [(1, 3), (1, 2, 3)])
def test_every_parameter_gets_a_finite_gradient(out_indices):
    encoder = build(out_indices=out_indices, drop_path_rate=0.0).train()
    sum(m.square().mean() for m in encoder(clip(), some_mask())).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.filterwarnings("ignore:.*use_reentrant")
def test_recomputing_activations_changes_no_gradient():
    plain = build(drop_path_rate=0.0).train()
    thrifty = build(drop_path_rate=0.0, with_cp=True).train()
    thrifty.load_state_dict(plain.state_dict())
    for encoder in (plain, thrifty):
        encoder(clip(), some_mask()).square().mean().backward()
    for (name, one), other in zip(plain.named_parameters(), thrifty.parameters()):
        torch.testing.assert_close(one.grad, other.grad, msg=name)


@pytest.mark.filterwarnings("ignore:.*use_reentrant")
@pytest.mark.parametrize(("with_cp", "calls"), [(False, 1), (True, 2)])
def test_with_cp_runs_a_block_again_in_the_backward_pass(with_cp, calls):
    encoder, seen = build(drop_path_rate=0.0, with_cp=with_cp).train(), []
    encoder.layers[0].blocks[0].mlp.register_forward_hook(lambda *_: seen.append(1))
    encoder(clip(), some_mask()).square().mean().backward()
    assert len(seen) == calls


def test_stochastic_depth_grows_to_the_given_rate():
    encoder = build(drop_path_rate=0.35)
    rates = [
        getattr(block.drop_path, "drop_prob", 0.0)
        for layer in encoder.layers
        for block in layer.blocks
    ]
    assert rates == pytest.approx([0.05 * number for number in range(8)])


def test_the_mask_token_is_drawn_as_bevt_s():
    encoder = MaskedSwinTransformer3D(**{**SMALL, "arch": dict(ARCH, embed_dims=384)})
    encoder.init_weights()
    assert encoder.mask_token.std().item() == pytest.approx(0.02, rel=0.2)
    assert abs(encoder.mask_token.mean().item()) < 0.005


def test_bfloat16_autocast_stays_close():
    encoder = build(out_indices=(1, 3))
    with torch.no_grad():
        precise = encoder(clip(), some_mask())
        with torch.autocast("cpu", torch.bfloat16):
            rough = encoder(clip(), some_mask())
    for one, other in zip(rough, precise):
        assert (one.float() - other).abs().mean() < 0.05 * other.abs().mean()


def test_frozen_means_frozen():
    encoder = build(frozen=True, drop_path_rate=0.5, drop_rate=0.5)
    assert encoder.train() is encoder
    assert not any(m.training for m in encoder.modules())
    assert not any(p.requires_grad for p in encoder.parameters())
    assert torch.equal(encoder(clip()), encoder(clip()))


def test_names_give_the_published_sizes():
    widths = {}
    for arch in ("tiny", "base"):
        encoder = MaskedSwinTransformer3D(arch, out_indices=(1, 3), init_cfg=[])
        assert encoder.grid == (8, 28, 28)
        assert encoder.num_tokens == 6272
        assert encoder.token_shape == (2, 8, 8)
        widths[arch] = encoder.out_channels
        million = sum(p.numel() for p in encoder.parameters()) / 1e6
        assert round(million) == dict(tiny=28, base=88)[arch], "Table 3"
    assert widths == dict(tiny={1: 192, 3: 768}, base={1: 256, 3: 1024})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(arch="giant"), "arch 'giant'.*tiny"),
        (dict(img_size=100), "model.backbone.img_size=100 is no positive multiple of 8"),
        (dict(img_size=4), "model.backbone.img_size=4 "),
        (dict(num_frames=3), "model.backbone.num_frames=3 is no positive multiple of 2"),
    ],
)
def test_illegal_settings_name_the_key(options, words):
    with pytest.raises(ValueError, match=words):
        MaskedSwinTransformer3D(**{**SMALL, **options})


def test_a_mask_of_another_clip_and_a_mistyped_key():
    encoder = build()
    with pytest.raises(ValueError, match="mask of 128 tokens does not fit.*model.backbone.num_f"):
        encoder(clip(frames=6), some_mask())
    with pytest.raises(ValueError, match="img_size"):
        encoder(clip(size=60), some_mask())
    with pytest.raises(TypeError, match="drop_path"):
        MaskedSwinTransformer3D(**copy.deepcopy(SMALL), drop_path=0.1)
