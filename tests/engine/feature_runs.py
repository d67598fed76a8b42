"""A tiny recognizer, and extracting features with it: shared by the tests of extraction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from integration.tiny_runs import ROOT, TINY_BACKBONE
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from mmpmg.engine.feature_extraction import ExtractionOptions, extract_features

SIZES = {key.rpartition(".")[2]: value for key, value in TINY_BACKBONE.items()}
PIPELINE = "test_dataloader.dataset.pipeline"
TINY = {
    **TINY_BACKBONE,
    f"{PIPELINE}.frames.clip_len": 4,
    f"{PIPELINE}.short_side.scale": (-1, 32),
    f"{PIPELINE}.crop.crop_size": 32,
}
RECIPE = str(ROOT / "configs/finetune/vit-b_ssv2-mini.py")  # 2 clips x 3 crops


def random_encoder(seed: int) -> dict[str, torch.Tensor]:
    """Return weights of the tiny encoder, all of them random."""
    init_default_scope("mmaction")
    torch.manual_seed(seed)
    model = MODELS.build(dict(type="MaskedVisionTransformer", **SIZES))
    return {
        f"backbone.{key}": value if key == "pos_embed" else torch.randn_like(value) / 4
        for key, value in model.state_dict().items()
    }


def options(out, checkpoint, videos, config=RECIPE, cfg_options=TINY, **more) -> ExtractionOptions:
    """Extract in this process, on the CPU, unless told otherwise."""
    return ExtractionOptions(
        config, str(checkpoint), str(videos), str(out), cfg_options=dict(cfg_options),
        **{"workers": 0, "device": "cpu", **more},
    )  # fmt: skip


def extracted(out: Path, *given, **more) -> dict[str, np.ndarray]:
    """Extract, and return what the file holds."""
    assert extract_features(options(out, *given, **more)) == out
    with np.load(out) as file:
        return dict(file)
