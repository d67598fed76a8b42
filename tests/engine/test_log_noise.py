"""What is left out of a run's log, and what stays."""

from __future__ import annotations

import logging

import pytest
import torch
from mmengine.fileio import FileClient, HardDiskBackend
from mmengine.logging import MMLogger
from mmengine.optim import DefaultOptimWrapperConstructor

from mmpmg.engine.log_noise import silence_noise


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_mmengine_s_noise_goes_unless_everything_is_wanted(level, tmp_path):
    file = tmp_path / "run.log"
    logger = MMLogger.get_instance(f"noise-{level}", log_file=str(file), log_level=level)
    silence_noise(logger)
    # What MMEngine itself says, when it says it.
    recipe = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1, weight_decay=0.1))
    DefaultOptimWrapperConstructor(recipe, dict(bias_decay_mult=0.0))(torch.nn.Linear(2, 2))
    FileClient(backend="disk")
    HardDiskBackend()
    logger.log(logging.WARNING, "videos are missing")
    for handler in logger.handlers:
        handler.flush()
    said = file.read_text()
    assert "videos are missing" in said
    for noise in ("paramwise_options", "FileClient", "HardDiskBackend"):
        assert (noise in said) == (level == "DEBUG")
