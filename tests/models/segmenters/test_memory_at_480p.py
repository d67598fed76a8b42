"""The table "Memory and time" of docs/vos.md."""

import re
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from reference.label_propagation import LiveMemory

from mmpmg.models.segmenters.label_context import LabelContext

ROOT = Path(__file__).parents[3]


def test_vit_b_at_480p_takes_what_the_page_says():
    init_default_scope("mmaction")
    recipe = ROOT / "configs/vos/vit-b_davis2017.py"
    config = Config.fromfile(str(recipe), import_custom_modules=False)
    depth = 12
    config.model.backbone.depth = 1  # blocks come one after the other, and keep nothing
    model = MODELS.build(config.model)
    block, whole = (
        sum(p.numel() for p in part.parameters()) for part in (model.backbone.blocks[0], model)
    )
    weights = 4 * (whole + (depth - 1) * block)
    frames = torch.zeros(3, 2, 480, 854, dtype=torch.uint8)
    with torch.no_grad(), LiveMemory() as encoding:
        features = model.extract_feat(frames)
    grid = model.encoder.grid((480, 854))
    context = LabelContext(model.propagation.context_frames)
    with LiveMemory() as remembered:
        for _ in range(30):
            context.add(features[0], torch.zeros(len(features[0]), 4))
    with LiveMemory() as step:
        model.propagation(features[1], *context.look(), grid)
    measured = (weights, encoding.peak / 2, remembered.peak, step.peak)
    page = (ROOT / "docs/vos.md").read_text()
    rows = page[page.index("## Memory and time") :].split("|---|---|---|\n")[1].splitlines()[:4]
    told = [float(re.split(r" *\| *", row)[2]) for row in rows]
    assert [size / 1e6 for size in measured] == pytest.approx(told, rel=0.03)
