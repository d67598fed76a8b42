"""The exact-flow recipes weigh flow as the pixels: predicting nothing costs 1 in either branch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmpmg  # noqa: F401
from mmpmg.datasets.transforms.pmg import PMGPipeline

RECIPES = Path(__file__).parents[1] / "configs/motionmae"


@pytest.mark.parametrize(
    "name",
    [
        "vit-toy_photographs_exact-flow",
        "vit-toy-p16_photographs_exact-flow",
        "vit-s_generated_112px_exact-flow",
        "vit-b_shaders1k_exact-flow",
    ],
)
def test_no_motion_costs_what_flat_patches_cost(name: str) -> None:
    init_default_scope("mmaction")
    config = Config.fromfile(RECIPES / f"{name}.py", import_custom_modules=False)
    backbone, head = config.model.backbone, config.model.branches.motion.head
    side, token = backbone.img_size, backbone.get("patch_size", 16)
    assert head.target == dict(type="FlowTarget")  # in sides of a token, all pixels alike
    motion = config.train_dataloader.dataset.pipeline.motion
    pipeline = PMGPipeline(**{key: value for key, value in motion.items() if key != "type"})
    squares = []
    for seed in range(60):
        drawn = pipeline.sampler.sample(np.random.default_rng(seed), 16, (side, side))
        flow = drawn.flow()[drawn.covisible()]
        squares.append(np.mean((flow / token) ** 2))
    assert head.loss_weight * np.mean(squares) == pytest.approx(1, rel=0.2)
