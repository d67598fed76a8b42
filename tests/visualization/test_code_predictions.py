"""A model of codes is drawn by its own tokenizer: true codes, predicted codes, and their losses."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpmg.models.tokenizers.shrinking import shrink
from mmpmg.visualization.code_predictions import draw_codes
from mmpmg.visualization.code_reconstruction import CodeReconstruction
from mmpmg.visualization.masking_ratios import masking_ratio
from mmpmg.visualization.model_pictures import evaluating, grey_levels, preprocessed
from mmpmg.visualization.model_reconstructions import reconstruct_at_ratios, reconstruct_samples
from mmpmg.visualization.recipe_models import recipe_model
from mmpmg.visualization.training_samples import read_samples

ROOT = Path(__file__).resolve().parents[2]
# The package has a function of the same name.
module = importlib.import_module("mmpmg.visualization.reconstruction_picture")


@pytest.fixture(scope="module")
def model_and_samples() -> tuple[Any, list]:
    init_default_scope("mmaction")
    config = Config.fromfile(ROOT / "configs" / "demvm" / "swin-toy_generated_smoke.py")
    config.model.backbone.arch.update(embed_dims=24, depths=(1, 1, 1, 1))
    config.model.branches.token.head.target.tokenizer.update(channels=16, num_codes=32, layers=1)
    config.train_dataloader.dataset.num_images = 3
    torch.manual_seed(0)
    model = recipe_model(config, None)
    with torch.no_grad():
        model.heads["token"].classifier.weight.normal_()  # fresh heads guess one code everywhere
    dataset = DATASETS.build(config.train_dataloader.dataset)
    samples = read_samples(dataset, [0, 1, 2], seed=3)
    tell_codes_apart(model, samples)
    return model, samples


@torch.no_grad()
def tell_codes_apart(model: Any, samples: list) -> None:
    """Normalise a fresh tokenizer's vectors and take its codes from them: it knows but one code."""
    tokenizer = model.heads["token"].target.tokenizer
    pixels = model.pixels(preprocessed(model, samples)[0])
    features = tokenizer.features(shrink(pixels, 2)).movedim(1, -1).flatten(0, 3)
    vectors = tokenizer.code_vectors(features)
    last, deviation = tokenizer.pre_vq_conv.conv, vectors.std(0)
    last.weight.div_(deviation.view(-1, 1, 1, 1, 1))
    last.bias.sub_(vectors.mean(0)).div_(deviation)
    picked = torch.randperm(len(features))[: tokenizer.num_codes]
    tokenizer.codebook.embeddings.copy_(tokenizer.code_vectors(features[picked]))
    tokenizer.post_vq_conv.conv.weight.mul_(20)  # and its pictures of them differ


def near(one: np.ndarray, other: np.ndarray) -> None:
    """Alike but for a rounded grey level: a batch may be summed in another order than its clips."""
    assert np.abs(one.astype(int) - other).max() <= 1


def seen(model: Any, samples: list) -> tuple[torch.Tensor, torch.Tensor]:
    """Every code of the clips (B, t, h, w), and the clips themselves (B, 3, T, H, W)."""
    with evaluating(model):
        clips, data_samples = preprocessed(model, samples)
        pixels = model.whole_clip(clips, data_samples).pixels
        return model.heads["token"].target.tokenizer.encode(shrink(pixels, 2)), pixels


def test_each_clip_has_the_models_own_loss_and_share_of_right_codes(model_and_samples) -> None:
    model, samples = model_and_samples
    for sample in samples:
        ((branches,), training) = reconstruct_samples(model, [sample]), model.training
        assert training, "the model is left as it was"
        item = branches["token"]
        assert isinstance(item, CodeReconstruction)
        with evaluating(model):
            losses = model.loss(*preprocessed(model, [sample]))
        assert item.loss == pytest.approx(float(losses["loss_token"]), rel=1e-4)
        assert item.token_loss.mean() == pytest.approx(item.loss, rel=1e-4)
        assert item.right == pytest.approx(float(losses["accuracy_token"]), abs=1e-6)
        assert item.flat_loss == pytest.approx(math.log(32))
        np.testing.assert_array_equal(item.clip, sample.clip)


def test_true_codes_are_kept_where_a_token_is_visible(model_and_samples) -> None:
    model, samples = model_and_samples
    codes, _ = seen(model, samples)
    assert len(codes.unique()) > 3
    tokenizer = model.heads["token"].target.tokenizer
    for i, branches in enumerate(reconstruct_samples(model, samples)):
        item = branches["token"]
        near(item.true, grey_levels(tokenizer.decode(codes[i : i + 1]))[0])
        filled = codes[i].flatten().clone()
        filled[torch.from_numpy(item.mask)] = torch.from_numpy(item.prediction[:, 0]).long()
        decoded = grey_levels(tokenizer.decode(filled.reshape(codes[i : i + 1].shape)))[0]
        near(item.decoded, decoded)
        visible = codes[i].flatten()[~torch.from_numpy(item.mask)].tolist()
        common = max(sorted(set(visible)), key=visible.count)
        filled[torch.from_numpy(item.mask)] = common
        blind = grey_levels(tokenizer.decode(filled.reshape(codes[i : i + 1].shape)))[0]
        near(item.blind, blind)
        assert (blind != item.true).any() and (blind != decoded).any()
        assert item.true.shape == (16, 32, 32, 3) and (item.true != item.decoded).any()


@pytest.mark.parametrize("by_sample", [False, True])
def test_a_perfect_model_shows_what_the_tokenizer_itself_does(
    model_and_samples, by_sample: bool
) -> None:
    """Logits one masked token after the other, as behind the Swin, or (B, K, codes) as a ViT's."""
    model, samples = model_and_samples
    codes, pixels = seen(model, samples)
    mask = torch.zeros(3, codes[0].numel(), dtype=torch.bool)
    for i, row in enumerate(mask):  # unlike tokens, and unlike many unless they come by sample
        row[i :: 3 if by_sample else 2 + i] = True
    count = int(mask.sum(1).min())
    if by_sample:
        mask &= mask.cumsum(1) <= count
    wanted = codes.flatten(1)[mask]
    logits = 50.0 * torch.nn.functional.one_hot(wanted, 32)
    whole = type("Whole", (), dict(pixels=pixels))()
    clips = [sample.clip for sample in samples]
    head = model.heads["token"]
    shaped = logits.reshape(3, count, 32) if by_sample else logits
    for item in draw_codes(head, whole, mask, shaped, clips, ["a", "b", "c"]):
        assert item.right == 1 and item.loss < 1e-6
        np.testing.assert_array_equal(item.true, item.decoded)


def test_labels_say_what_knowing_frequencies_alone_would_give(model_and_samples) -> None:
    """Codes are used unevenly, so the logarithm of their number is easily beaten."""
    model, samples = model_and_samples
    codes, _ = seen(model, samples)
    items = [branches["token"] for branches in reconstruct_samples(model, samples)]
    shown: list[int] = []
    for own, item in zip(codes, items, strict=True):
        shown += own.flatten()[torch.from_numpy(item.mask)].tolist()
    shares = [shown.count(code) / len(shown) for code in set(shown)]
    entropy = -sum(share * math.log(share) for share in shares)
    assert 0 < entropy < math.log(32) - 0.05
    for item in items:
        assert item.frequencies_loss == pytest.approx(entropy)
        assert item.commonest == pytest.approx(max(shares))
        assert f"frequencies alone {entropy:.4f}" in item.flat_name
        assert f"frequencies alone {max(shares):.0%}" in item.rows("visible")[2][0]


def settings(masker: Any) -> dict[str, Any]:
    """What the masker draws with, without what it remembers of the last batch."""
    return {k: v for k, v in vars(masker).items() if isinstance(v, (int, float, str))}


def test_a_mask_ratio_is_the_spatial_one_of_every_slot(model_and_samples) -> None:
    model, samples = model_and_samples
    before = settings(model.masker)
    drawn = reconstruct_at_ratios(model, samples, (0.3, 0.8), "toy")
    assert list(drawn) == ["toy, P_spa 0.3 in all slots", "toy, P_spa 0.8 in all slots"]
    assert settings(model.masker) == before
    for (_, items), ratio in zip(drawn.items(), (0.3, 0.8), strict=True):
        for branches in items:
            slots = branches["token"].mask.reshape(8, 64)
            assert slots.any(1).all()
            assert slots.mean() == pytest.approx(ratio, abs=0.1)
    for bad in (0.0, 1.5):
        with (
            pytest.raises(ValueError, match=f"--mask-ratio {bad:g}: must lie between"),
            masking_ratio(model, bad),
        ):
            pass
    assert settings(model.masker) == before


def test_the_picture_says_what_leaks_and_repeats_no_truth(
    model_and_samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, samples = model_and_samples
    told: dict[str, Any] = {}
    monkeypatch.setattr(module, "tile", lambda rows, **said: told.update(said))
    module.reconstruction_picture(reconstruct_at_ratios(model, samples[:1], (0.3, 0.8), "toy"))
    assert "leaks into the picture" in told["title"]
    lines = [label.split("\n")[:2] for label in told["row_labels"]]
    three, eight = ("toy, P_spa 0.3 in all slots", "toy, P_spa 0.8 in all slots")
    assert [line[0] if line[0] not in (three, eight) else tuple(line) for line in lines[2:]] == [
        "true codes, decoded",
        "no model, decoded",
        (three, "predicted codes, decoded"),
        (three, "loss of each code"),
        lines[6][0],
        "no model, decoded",
        (eight, "predicted codes, decoded"),
        (eight, "loss of each code"),
    ]
    assert lines[6][1] == f"for {eight}"
