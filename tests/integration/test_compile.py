"""A run with ``compile`` set learns what one without it learns, from the recipe on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from integration.tiny_runs import options_of, pretraining
from mmengine.logging import MessageHub

from mmpmg.engine.training import train

DEFERRED = "train_dataloader.dataset.pipeline.motion.deferred"


def losses(pictures, work_dir, **changes) -> np.ndarray:
    torch.compiler.reset()
    changes = pretraining(pictures, experiment_name=work_dir.name, **changes)
    train(options_of("pmg/vit-toy_photographs.py", work_dir, changes))
    return np.array(MessageHub.get_current_instance().get_scalar("train/loss_pixel").data[0])


@pytest.mark.slow
def test_a_compiled_run_learns_alike(pictures, tmp_path):
    plain = losses(pictures, tmp_path / "plain", **{DEFERRED: True})
    compiled = losses(
        pictures, tmp_path / "compiled", **{DEFERRED: True, "compile.backend": "aot_eager"}
    )
    assert len(plain) == 4
    np.testing.assert_allclose(compiled, plain, rtol=1e-4)
    assert np.ptp(plain) > 1e-3, "steps differ by more than the tolerance"
