"""The whole way without a segmenter: files like DAVIS's, a moved first mask, J&F, pictures."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config, DictAction
from mmengine.model import BaseModel
from mmengine.runner import Runner
from PIL import Image
from reference.tiny_davis import tiny_davis

from mmpmg.engine.hooks import SegmentationPictureHook

ROOT = Path(__file__).parents[2]


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
        default_hooks=dict(
            checkpoint=None, logger=None, pictures=dict(type="SegmentationPictureHook", **hook)
        ),
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


def test_every_test_draws_anew(tmp_path):
    sample = ActionDataSample()
    sample.gt_masks = sample.pred_masks = torch.ones(3, 16, 16, dtype=torch.uint8)
    sample.set_metainfo(dict(sequence="one"))
    runner = SimpleNamespace(work_dir=str(tmp_path), logger=logging.getLogger("test"))
    batch = dict(inputs=[torch.zeros(1, 3, 3, 16, 16, dtype=torch.uint8)])
    hook = SegmentationPictureHook(num_sequences=1)
    for _ in range(2):
        hook.before_test_epoch(runner)
        hook.after_test_iter(runner, 0, batch, [sample])
        (tmp_path / "pictures" / "one.png").unlink()  # there, or this raises
    hook.before_test_epoch(runner)
    with pytest.raises(ValueError, match=r"gt_masks.*default_hooks\.pictures=None"):
        hook.after_test_iter(runner, 0, batch, [ActionDataSample()])


@pytest.mark.parametrize("recipe", ["vit-b_davis2017", "vit-l_davis2017", "vit-toy_davis-mini"])
def test_what_the_page_sets_changes_the_one_hook_of_a_recipe(recipe):
    page = (ROOT / "docs/vos.md").read_text()
    command = re.search(r"```bash\n([^`]*default_hooks\.pictures[^`]*)```", page)
    pairs = re.findall(r"(default_hooks\.pictures\S*)=(\S+)", command[1])
    path = ROOT / f"configs/vos/{recipe}.py"
    config = Config.fromfile(str(path), import_custom_modules=False)
    config.merge_from_dict({key: DictAction._parse_int_float_bool(text) for key, text in pairs})
    hooks = [*config.default_hooks.values(), *config.get("custom_hooks", ())]
    drawing = [hook for hook in hooks if hook.type == "SegmentationPictureHook"]
    assert drawing == [dict(type="SegmentationPictureHook", num_sequences=30, film=True)]


@pytest.mark.parametrize("option", ["num_sequences", "columns", "cell_height"])
def test_an_illegal_option_is_named(option):
    with pytest.raises(ValueError, match=rf"default_hooks\.pictures\.{option}"):
        SegmentationPictureHook(**{option: 0})
