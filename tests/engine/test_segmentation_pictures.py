"""The whole way without a segmenter: files like DAVIS's, a moved first mask, J&F, pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModel
from mmengine.runner import Runner
from PIL import Image
from reference.tiny_davis import tiny_davis

from mmpmg.engine.hooks import SegmentationPictureHook


@MODELS.register_module()
class FirstMaskMoved(BaseModel):
    """Moves the first mask by ``step`` pixels right and down a frame."""

    def __init__(self, step: int, predicts: bool = True) -> None:
        super().__init__()
        self.step, self.predicts = step, predicts

    def forward(self, inputs, data_samples=None, mode="tensor"):
        for sample in data_samples if self.predicts else ():
            first, frames = sample.gt_masks[0], len(sample.gt_masks)
            moved = [torch.roll(first, (k * self.step,) * 2, (0, 1)) for k in range(frames)]
            sample.pred_masks = torch.stack(moved)
        return data_samples


def run_test(tmp_path: Path, model: dict, hook: dict, batch_size: int = 1) -> dict[str, float]:
    root = tiny_davis(tmp_path / "DAVIS")
    pipeline = [
        dict(type="LoadSequence"),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(
            type="PackActionInputs",
            meta_keys=("sequence", "object_ids"),
            algorithm_keys=("gt_masks",),
        ),
    ]
    runner = Runner(
        model=dict(type="FirstMaskMoved", **model),
        work_dir=str(tmp_path / "work"),
        test_dataloader=dict(
            batch_size=batch_size,
            num_workers=0,
            sampler=dict(type="DefaultSampler", shuffle=False),
            dataset=dict(type="DAVISDataset", data_root=str(root), pipeline=pipeline),
            collate_fn=dict(type="pseudo_collate"),
        ),
        test_cfg=dict(),
        test_evaluator=dict(type="DAVISMetric", table=str(tmp_path / "work" / "objects.csv")),
        custom_hooks=[dict(type="SegmentationPictureHook", **hook)],
        default_hooks=dict(checkpoint=None, logger=None),
        default_scope="mmaction",
        experiment_name=f"segmentation_{tmp_path.name}",
    )
    return runner.test()


@pytest.mark.parametrize("batch_size", [1, 2])
def test_pictures_and_scores_of_a_perfect_segmenter(tmp_path, batch_size):
    metrics = run_test(tmp_path, dict(step=1), dict(columns=2, cell_height=48), batch_size)
    assert metrics["vos/J&F-Mean"] == 1
    pictures = sorted(path.name for path in (tmp_path / "work" / "pictures").iterdir())
    assert pictures == ["one.png", "two.png"]
    with Image.open(tmp_path / "work" / "pictures" / "two.png") as image:
        assert image.width > 2 * 72 and image.height > 2 * 48
        assert np.asarray(image).std() > 20
    assert len((tmp_path / "work" / "objects.csv").read_text().splitlines()) == 1 + 3 + 2 + 1


def test_a_segmenter_that_stands_still_scores_less(tmp_path):
    """By the k-th frame (6 - k)^2 of the 36 pixels of each mask are shared."""
    metrics = run_test(tmp_path, dict(step=0), dict(num_sequences=1, film=True))
    first, second = 25 / (72 - 25), 16 / (72 - 16)
    assert metrics["vos/J-Mean"] == pytest.approx(((first + second) / 2 * 2 + first) / 3)
    pictures = sorted(path.name for path in (tmp_path / "work" / "pictures").iterdir())
    assert pictures == ["two.mp4", "two.png"], "one sequence, as asked for"


def test_a_model_that_predicts_no_masks_is_named(tmp_path):
    with pytest.raises(ValueError, match="pred_masks"):
        run_test(tmp_path, dict(step=0, predicts=False), dict())


@pytest.mark.parametrize("option", ["num_sequences", "columns", "cell_height"])
def test_an_illegal_option_is_named(option):
    with pytest.raises(ValueError, match=f"SegmentationPictureHook.{option}"):
        SegmentationPictureHook(**{option: 0})
