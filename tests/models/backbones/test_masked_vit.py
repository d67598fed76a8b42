import pytest
import torch
from mmaction.models.backbones.vit_mae import VisionTransformer

from mmpmg.models.backbones.masked_vit import ARCHITECTURES, MaskedVisionTransformer
from mmpmg.models.tokens import split_tokens, tokens_at, unpatchify

SMALL = dict(img_size=32, num_frames=4, embed_dims=24, depth=3, num_heads=3)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    encoder = MaskedVisionTransformer(patch_size=8, use_mean_pooling=False, **SMALL)
    encoder.init_weights()
    randomise(encoder)
    return encoder.eval()


def randomise(module):
    """Biases and norms are zeros and ones at first, which hides a misplaced one."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize("feature_map", [True, False])
def test_same_keys_and_same_output_as_mmaction(pooled, feature_map):
    settings = dict(SMALL, patch_size=8, use_mean_pooling=pooled, return_feat_map=feature_map)
    ours, theirs = MaskedVisionTransformer(**settings), VisionTransformer(**settings)
    randomise(ours)
    result = theirs.load_state_dict(ours.state_dict(), strict=True)
    assert not result.missing_keys and not result.unexpected_keys
    for size in (32, 48):  # 48: positions are interpolated
        clip = torch.randn(2, 3, 4, size, size)
        with torch.no_grad():
            torch.testing.assert_close(ours.eval()(clip), theirs.eval()(clip), rtol=1e-5, atol=1e-5)


def test_gradients_equal_mmaction_s():
    settings = dict(SMALL, patch_size=8)
    ours, theirs = MaskedVisionTransformer(**settings), VisionTransformer(**settings)
    theirs.load_state_dict(ours.state_dict())
    clip = torch.randn(2, 3, 4, 32, 32)
    for model in (ours, theirs):
        model(clip).square().sum().backward()
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters()):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-5, msg=name)


def test_output_ignores_masked_pixels(encoder):
    clip = torch.randn(2, 3, 4, 32, 32)
    mask = torch.rand(2, 32).argsort(1) < 20
    visible, masked = split_tokens(mask, 20)
    before = encoder(clip, visible)
    tokens = torch.zeros(2, 32, 2 * 8 * 8, 3)
    tokens.scatter_(1, masked[..., None, None].expand(-1, -1, 128, 3), float("nan"))
    poisoned = clip + unpatchify(tokens, (2, 4, 4), (2, 8, 8))
    assert poisoned.isnan().any()
    assert tokens_at(poisoned, masked, (2, 8, 8)).isnan().all()
    assert torch.equal(encoder(poisoned, visible), before)


def test_all_visible_equals_the_unmasked_encoder(encoder):
    clip = torch.randn(2, 3, 4, 32, 32)
    order = torch.rand(2, 32).argsort(1)
    shuffled = encoder(clip, order)
    encoder.return_feat_map = True
    whole = encoder(clip).flatten(2).transpose(1, 2)
    expected = torch.stack([whole[b][order[b]] for b in range(2)])
    torch.testing.assert_close(shuffled, expected, rtol=1e-5, atol=1e-5)


def test_masked_tokens_are_never_stored(encoder):
    """What autograd keeps for the backward pass grows with the visible tokens."""

    def saved(num_visible):
        kept = []
        visible = torch.arange(num_visible).expand(2, -1)
        clip = torch.randn(2, 3, 4, 32, 32)
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t: kept.append(t.numel() if not t.is_leaf else 0) or t, lambda t: t
        ):
            encoder(clip, visible)
        return sum(kept)

    quarter, half, whole = saved(8), saved(16), saved(32)
    # Equal steps in V cost equal memory: nothing quadratic, nothing of the masked tokens.
    assert (whole - half) == pytest.approx(2 * (half - quarter), rel=0.02)


def test_names_give_the_published_sizes():
    # width, blocks, heads and parameters of the authors' encoders
    assert ARCHITECTURES["small"] == (384, 12, 6)
    assert ARCHITECTURES["base"] == (768, 12, 12)
    assert ARCHITECTURES["large"] == (1024, 24, 16)
    assert ARCHITECTURES["huge"] == (1280, 32, 16)
    encoder = MaskedVisionTransformer("base", use_mean_pooling=False, init_cfg=[])
    per_block = 768 * 768 * 3 + 2 * 768 + 768 * 769 + 768 * 3072 + 3072 + 3072 * 768 + 768 + 4 * 768
    expected = 1536 * 768 + 768 + 12 * per_block + 2 * 768
    assert sum(p.numel() for p in encoder.parameters()) == expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (dict(arch="giant"), "arch 'giant'.*tiny, small, base"),
        (dict(num_frames=15), "tubelet_size"),
        (dict(img_size=100), "patch_size"),
        (dict(embed_dims=100, num_heads=3), "model.backbone.num_heads"),
    ],
)
def test_illegal_settings_name_the_key(settings, words):
    with pytest.raises(ValueError, match=words):
        MaskedVisionTransformer(**settings)


def test_a_mistyped_key_raises():
    with pytest.raises(TypeError, match="drop_path"):
        MaskedVisionTransformer(drop_path=0.1)


def test_wrong_clip_length_and_pooling_with_a_mask():
    encoder = MaskedVisionTransformer(patch_size=8, **SMALL)
    with pytest.raises(ValueError, match="num_frames"):
        encoder(torch.zeros(1, 3, 8, 32, 32))
    with pytest.raises(ValueError, match="use_mean_pooling"):
        encoder(torch.zeros(1, 3, 4, 32, 32), torch.zeros(1, 4, dtype=torch.int64))
