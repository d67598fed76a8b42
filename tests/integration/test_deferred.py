"""A run that renders on the model's side learns what one learns whose workers render."""

from __future__ import annotations

import numpy as np
from integration.tiny_runs import options_of, pretraining
from mmengine.logging import MessageHub

from mmpmg.engine.training import train

RECIPE = "pmg/vit-toy_photographs.py"
KEY = "train_dataloader.dataset.pipeline.motion.deferred"


def losses(pictures, work_dir, deferred: bool) -> np.ndarray:
    changes = pretraining(pictures, **{KEY: deferred, "train_cfg.max_epochs": 3})
    changes["train_dataloader.num_workers"] = 2 if deferred else 0
    changes["experiment_name"] = work_dir.name
    train(options_of(RECIPE, work_dir, changes))
    return np.array(MessageHub.get_current_instance().get_scalar("train/loss_pixel").data[0])


def test_both_ways_of_rendering_train_alike(pictures, tmp_path):
    """Same masks, mixing and motion; grey levels differ by rounding at most."""
    rendered = losses(pictures, tmp_path / "rendered", False)
    deferred = losses(pictures, tmp_path / "deferred", True)
    assert len(rendered) == len(deferred) == 12
    np.testing.assert_allclose(deferred, rendered, rtol=5e-3)
    assert np.ptp(rendered) > 0.02, "steps differ by more than the tolerance"
