"""Dual masking as in VideoMAE V2: the decoder sees and is asked for a part of the tokens."""

import copy
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from reference.tiny_pretrainer import tiny_pretrainer
from reference.videomae_reference import pretrain

from mmpmg.models.tokens import first_tokens

CONFIG = tiny_pretrainer(width=48, heads=3, decoder_width=24)


def build(**changes):
    torch.manual_seed(0)
    model = MODELS.build({**copy.deepcopy(CONFIG), **changes})
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def samples(seeds):
    out = []
    for seed in seeds:
        out.append(ActionDataSample())
        out[-1].set_metainfo(dict(sample_seed=int(seed)))
    return out


def clips(count):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 1, 3, 8, 32, 32, generator=generator)


def test_loss_is_that_of_a_decoder_over_visible_and_kept_tokens():
    model, inputs, data = build(), clips(2), samples([11, 12])
    clip = inputs[:, 0]
    tokens = model.draw(clip, data)
    spared = tokens.mask.clone().scatter_(1, tokens.asked, False)
    states = [
        part.state_dict() for part in (model.backbone, model.necks["pixel"], model.heads["pixel"])
    ]
    pixels = model.pixels(clip)
    expected = [
        pretrain(
            clip[i], pixels[i], tokens.mask[i], *states, spared=spared[i],
            depth=2, heads=3, decoder_heads=3, token_shape=(2, 8, 8),
        )[1]
        for i in range(2)
    ]  # fmt: skip
    loss = model(inputs, data, mode="loss")["loss_pixel"]
    torch.testing.assert_close(loss, torch.stack(expected).mean(), rtol=1e-5, atol=1e-5)


def test_with_tubes_and_cells_exactly_the_kept_half_is_asked():
    model = build()
    tokens = model.draw(clips(64)[:, 0], samples(range(64)))
    asked = torch.zeros_like(tokens.mask).scatter_(1, tokens.asked, True)
    assert asked.sum(1).unique().tolist() == [tokens.masked.shape[1] // 2]
    assert not (asked & ~tokens.mask).any(), "asked for a token that is visible"
    # In each tube that is masked, two of the four slots.
    tubes = tokens.mask.view(64, 4, 16)
    assert (asked.view(64, 4, 16).sum(1) == 2 * tubes[:, 0]).all()
    # The two masks have nothing to do with each other, and every token is asked for in its turn.
    share = asked.float().mean(0)
    assert (share - 0.375).abs().max() < 5 * (0.375 * 0.625 / 64) ** 0.5


@pytest.mark.parametrize("kind", ["RandomMasker", "FrameMasker"])
def test_any_pair_of_maskers_asks_equally_many_and_kept_ones_first(kind):
    model = build(
        masker=dict(type="RandomMasker", mask_ratio=0.75),
        decoder_masker=dict(type=kind, mask_ratio=0.5),
    )
    data = samples(range(200))
    clip = clips(1)[:, 0].expand(200, -1, -1, -1, -1)
    tokens = model.draw(clip, data)
    asked = torch.zeros_like(tokens.mask).scatter_(1, tokens.asked, True)
    assert asked.sum(1).unique().tolist() == [24]
    assert not (asked & ~tokens.mask).any()
    share = asked.float().mean(0)
    assert (share - 0.375).abs().max() < 5 * (0.375 * 0.625 / 200) ** 0.5, "some place is favoured"
    again = model.draw(clip[3:4], data[3:4])
    assert torch.equal(again.asked, tokens.asked[3:4]), "it hangs on the batch"


def test_the_number_asked_is_the_nearest_to_the_share():
    for ratio in (0.3, 0.35, 0.4, 0.6):
        model = build(decoder_masker=dict(type="RandomMasker", mask_ratio=ratio))
        share = 1 - model.decoder_masker.num_masked((4, 4, 4)) / 64
        assert abs(model.num_asked((4, 4, 4)) - 48 * share) <= 0.5, ratio


def test_chance_that_evens_out_numbers_has_nothing_to_do_with_the_masker_s():
    model = build(
        masker=dict(type="RandomMasker", mask_ratio=0.75),
        decoder_masker=dict(type="RandomMasker", mask_ratio=0.5),
    )
    count = 6000
    seeds = torch.arange(count)
    tokens = model.draw(clips(1)[:, 0].expand(count, -1, -1, -1, -1), samples(seeds))
    asked = torch.zeros_like(tokens.mask).scatter_(1, tokens.asked, True)
    # The masker's ranking: of the four that it masks first, half are asked as of all others. (Of
    # four, since the two kinds of chance would share all bits but those that tell eighths apart.)
    model.masker.mask_ratio = 4 / 64
    first = model.masker(seeds, (4, 4, 4))
    assert not (first & ~tokens.mask).any()
    share = float(asked[first].float().mean())
    deviation = (0.25 / 4 * (1 - 4 / 48) / count) ** 0.5
    assert abs(share - 0.5) < 4 * deviation


def test_the_same_masker_twice_does_not_draw_the_same():
    model = build(decoder_masker=dict(type="TubeMasker", mask_ratio=0.75))
    tokens = model.draw(clips(64)[:, 0], samples(range(64)))
    asked = torch.zeros_like(tokens.mask).scatter_(1, tokens.asked, True)
    assert asked.sum(1).unique().tolist() == [12]
    # One quarter of the masked places is kept on average; equal masks would keep none of them.
    full_tubes = asked.view(64, 4, 16).all(1).sum(1).float().mean()
    assert full_tubes > 2


def test_prediction_answers_for_every_masked_token():
    model = build()
    out = model(clips(2), samples([1, 2]), mode="predict")
    assert out[0].prediction["pixel"].shape[1] == out[0].mask.sum()


def test_without_it_every_masked_token_is_asked():
    model = build(decoder_masker=None)
    tokens = model.draw(clips(2)[:, 0], samples([1, 2]))
    assert torch.equal(tokens.asked, tokens.masked)


def test_the_recipe_spares_the_decoder_half():
    root = Path(__file__).resolve().parents[3]
    model = Config.fromfile(root / "configs/pmg/vit-b_shaders1k_decoder-mask.py").model
    assert MODELS.build(model.decoder_masker).num_masked((8, 14, 14)) == 8 * 14 * 14 / 2


def test_a_grid_that_the_cells_do_not_fit_raises_when_built():
    backbone = dict(CONFIG["backbone"], num_frames=4, img_size=24)
    with pytest.raises(ValueError, match=r"\(2, 3, 3\) grid"):
        build(backbone=backbone)


def test_first_tokens_against_a_loop():
    generator = torch.Generator().manual_seed(3)
    priority = torch.randint(0, 4, (5, 30), generator=generator)
    noise = torch.randint(-(2**62), 2**62, (5, 30), generator=generator)
    chosen = first_tokens(priority, noise, 11)
    for row in range(5):
        ranked = sorted(range(30), key=lambda i: (priority[row, i], noise[row, i] % 2**61))
        assert chosen[row].tolist() == sorted(ranked[:11])
