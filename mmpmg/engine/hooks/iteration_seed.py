"""Starts every iteration from a state of the random generators that a resumed run reaches too."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seeds the training process by (run seed, iteration, rank) before each iteration.

    Drop path, dropout and MMAction2's batch mixing draw from the process's global generators, whose
    state is in no checkpoint. Seeded anew they draw the same after a resume, and, unlike with
    MMEngine's one seed for all ranks, differently on every rank. (Seeding by epoch is not enough: a
    dataloader draws from torch's generator when its workers start, and a resumed run starts them
    later.)
    """

    priority = "VERY_HIGH"

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed Python's, NumPy's and torch's generators."""
        key = np.random.SeedSequence((runner.seed, runner.iter, get_rank()))
        state = key.generate_state(3)
        random.seed(int(state[0]))
        np.random.seed(state[1])  # noqa: NPY002
        torch.manual_seed(int(state[2]))
