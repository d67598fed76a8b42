"""What importing the modules of ``examples/`` leaves behind, and how to forget it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmaction.registry import MODELS

from mmpmg.motion import OPS

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = {"own_motion": "sway", "own_masker": "block_tube", "own_target": "acceleration"}


@contextmanager
def forgotten() -> Iterator[None]:
    """Drop the modules and what they registered, for the tests that follow."""
    tables = (OPS, MODELS.module_dict)
    before = [set(table) for table in tables]
    try:
        yield
    finally:
        for module in EXAMPLES.values():
            sys.modules.pop(module, None)
        for table, known in zip(tables, before, strict=True):
            for name in set(table) - known:
                del table[name]
