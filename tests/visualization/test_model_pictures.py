"""What is said of mixed clips is what was mixed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpmg.visualization.model_pictures import mixed_clips, mixing_labels, mixing_shares
from mmpmg.visualization.training_samples import read_samples

RECIPE = Path(__file__).resolve().parents[2] / "configs/pmg/vit-toy_generated.py"


@pytest.mark.parametrize("kind", ["ClipMixup", "ClipVideoMix"])
def test_the_shares_are_those_of_the_pictures(kind):
    init_default_scope("mmaction")
    config = Config.fromfile(RECIPE)
    config.model.backbone.depth = 1
    config.model.data_preprocessor.blending = dict(type=kind)
    samples = read_samples(DATASETS.build(config.train_dataloader.dataset), [0, 5, 9], seed=3)
    model = MODELS.build(config.model)
    shares, mixed = mixing_shares(model, samples), mixed_clips(model, samples)
    assert len({round(share, 2) for share in shares}) == 3
    for i, share in enumerate(shares):
        own, other = (samples[j].clip.astype(float) for j in (i, i - 1))
        if kind == "ClipMixup":  # the share that explains the picture best
            found = ((mixed[i] - other) * (own - other)).sum() / np.square(own - other).sum()
        else:
            differ = (own != other).any(-1)
            found = ((mixed[i] == samples[i].clip).all(-1) & differ).sum() / differ.sum()
        assert share == pytest.approx(found, abs=0.02)


def test_labels_name_both_shares_and_whose_they_are():
    samples = [SimpleNamespace(family=name) for name in ("Affine", "Layered", "CutMix")]
    assert mixing_labels(samples, [0.05, 0.996, 0.5]) == [
        "5 % Affine + 95 % CutMix (clip 3)",
        "100 % Layered + 0 % Affine (clip 1)",
        "50 % CutMix + 50 % Layered (clip 2)",
    ]
    assert mixing_labels(samples[:1], [1.0]) == ["Affine, alone, so not mixed"]
