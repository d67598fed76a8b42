"""Named steps keep their order, or say that they have lost it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from mmpmg.datasets.named_pipeline import in_order

ROOT = Path(__file__).resolve().parents[2]


def test_a_pipeline_that_mmengine_wrote_is_named_as_such() -> None:
    config = Config.fromfile(ROOT / "configs/demvm/swin-toy_photographs.py")
    written = Config.fromstring(config.pretty_text, ".py")
    pipeline = config.train_dataloader.dataset.pipeline
    assert in_order(pipeline) == [step for step in pipeline.values() if step is not None]
    with pytest.raises(ValueError, match=r"order of the alphabet .*take the recipe that was run"):
        in_order(written.train_dataloader.dataset.pipeline)


def test_the_alphabet_s_order_may_be_the_right_one() -> None:
    steps = dict(decode=dict(type="DecordDecode"), pack=dict(type="PackActionInputs"), zoom=None)
    assert in_order(steps) == [steps["decode"], steps["pack"]]
    assert in_order(list(steps.values())[:2]) == [steps["decode"], steps["pack"]]
