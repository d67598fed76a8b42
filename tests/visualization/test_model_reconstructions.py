"""What is drawn of a model with several branches is what the model predicts, and it stays as is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpmg.models.maskers.running_cell import RunningCellMasker
from mmpmg.visualization.model_pictures import preprocessed
from mmpmg.visualization.model_reconstructions import (
    _measure,
    masking_ratio,
    reconstruct_at_ratios,
    reconstruct_samples,
)
from mmpmg.visualization.training_samples import TrainingSample, read_samples

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {
    "absolute": dict(type="TemporalDifferenceTarget"),
    "signed": dict(type="TemporalDifferenceTarget", signed=True, normalize=False, granularity=2),
    "left out": dict(type="TemporalDifferenceTarget", clip_end="leave_out"),
    "flow": dict(type="FlowTarget", cell=4),
    "pixel flow": dict(type="FlowTarget", unit="pixel", normalize=True),
}


def model_and_samples(target: dict) -> tuple[torch.nn.Module, list[TrainingSample]]:
    """The toy MotionMAE, one block deep, and three of its clips, of shader images."""
    init_default_scope("mmaction")
    config = Config.fromfile(ROOT / "configs" / "motionmae" / "vit-toy_photographs.py")
    images = dict(type="ShaderImages", num_categories=3, images_per_category=1, size=96)
    config.train_dataloader.dataset.images = images
    config.model.backbone.depth = 1
    config.model.data_preprocessor.with_flow = True
    config.model.branches.motion.head.target = target
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    with torch.no_grad():
        for head in model.heads.values():  # fresh heads predict almost nothing
            head.projection.bias.normal_()
    dataset = DATASETS.build(config.train_dataloader.dataset)
    return model, read_samples(dataset, [0, 1, 2], seed=3)


@pytest.mark.parametrize("name", TARGETS)
def test_every_branch_carries_the_models_own_loss(name) -> None:
    model, samples = model_and_samples(TARGETS[name])
    drawn = reconstruct_samples(model, samples)
    assert all(module.training for module in model.modules())
    model.eval()
    for sample, branches in zip(samples, drawn, strict=True):
        assert list(branches) == ["pixel", "motion"]
        assert "flow" not in sample.packed["data_samples"], "samples are left as they were"
        clips, data_samples = preprocessed(model, [sample])
        with torch.no_grad():
            losses = model.loss(clips, data_samples)
            flat = model.heads["motion"].target(
                model.whole_clip(clips, data_samples), model.draw(clips, data_samples).masked
            )
        for branch, item in branches.items():
            loss = float(losses[f"loss_{branch}"])
            assert item.loss == pytest.approx(loss, rel=1e-4)
            assert np.nan_to_num(item.token_loss).mean() == pytest.approx(loss, rel=1e-4)
            np.testing.assert_array_equal(item.clip, sample.clip)
        motion = branches["motion"]
        assert motion.flat_loss == pytest.approx(
            float(flat.nan_to_num(0).square().mean()), rel=1e-4
        )
        np.testing.assert_allclose(motion.truth[motion.mask], flat[0].numpy(), rtol=1e-5)


def test_losses_are_drawn_without_their_weight_and_say_what_they_measure() -> None:
    model, samples = model_and_samples(TARGETS["flow"])
    (once,) = reconstruct_samples(model, samples[:1])
    for weight in (0.0, 2.0):
        model.heads["motion"].loss_weight = weight
        (again,) = reconstruct_samples(model, samples[:1])
        assert again["motion"].loss == once["motion"].loss > 0
        np.testing.assert_array_equal(again["motion"].token_loss, once["motion"].token_loss)
        assert again["motion"].measure == once["motion"].measure
    measures = {once["pixel"].measure, once["motion"].measure}
    for target, loss in ((dict(TARGETS["flow"], unit="pixel"), "mse"), (TARGETS["flow"], "l1")):
        head = dict(type="MaskedRegressionHead", in_channels=4, token_shape=(4, 8, 8))
        measures.add(_measure(MODELS.build(dict(head, target=target, loss=loss))))
    assert len(measures) == 4


def test_the_true_motion_is_that_of_the_clip() -> None:
    """Not normalised, and in grey levels: what the frames themselves say."""
    model, samples = model_and_samples(TARGETS["absolute"])
    for sample, branches in zip(samples, reconstruct_samples(model, samples), strict=True):
        motion = branches["motion"]
        (t, h, w), (frames, height, width) = motion.token_shape, motion.size
        field = motion.plain.reshape(frames // t, height // h, width // w, t, h, w, 3)
        field = field.transpose(0, 3, 1, 4, 2, 5, 6).reshape(*motion.size, 3) * motion.unit
        change = np.abs(np.diff(sample.clip.astype(np.float32), axis=0))
        np.testing.assert_allclose(field[:-1], change, atol=0.05)


def test_ratios_change_the_mask_alone_and_only_for_a_while() -> None:
    model, samples = model_and_samples(TARGETS["flow"])
    before = model.masker.mask_ratio
    drawn = reconstruct_at_ratios(model, samples, (0.5, 0.9), "toy")
    assert list(drawn) == ["toy, ratio 0.5", "toy, ratio 0.9"]
    assert model.masker.mask_ratio == before
    for name, items in drawn.items():
        for item, other in zip(items, drawn["toy, ratio 0.5"], strict=True):
            assert item["pixel"].mask.mean() == pytest.approx(float(name[-3:]), abs=1 / 64)
            np.testing.assert_array_equal(item["motion"].truth, other["motion"].truth)
            # More of the same: what half hides, nine tenths hide as well.
            assert (other["pixel"].mask <= item["pixel"].mask).all()
    (alone,) = reconstruct_at_ratios(model, samples[:1]).values()
    assert alone[0]["pixel"].mask.mean() == pytest.approx(before, abs=1 / 64)


@pytest.mark.parametrize("ratio", [0.0, 1.0, 0.001, float("nan")])
def test_impossible_ratios_name_the_option_and_leave_the_model_as_it_was(ratio) -> None:
    model, samples = model_and_samples(TARGETS["signed"])
    before = model.masker.mask_ratio
    with pytest.raises(ValueError, match=f"--mask-ratio {ratio:g}: "):
        reconstruct_samples(model, samples, ratio)
    assert model.masker.mask_ratio == before
    model.masker = RunningCellMasker(0.5)
    with (
        pytest.raises(ValueError, match="RunningCellMasker has no mask_ratio to change"),
        masking_ratio(model, 0.9),
    ):
        pass
