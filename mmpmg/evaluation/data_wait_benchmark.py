"""Which share of a training step waits for data, by MMEngine's own clock in a real run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmpmg.evaluation.comparison import TOOLS
from mmpmg.evaluation.timing import markdown_table, spread

RECIPE = TOOLS.parent / "configs" / "pmg" / "vit-toy_generated_smoke.py"
RUNS = ((8, 8), (56, 3))
"""Steps of an epoch and epochs: those of the smoke recipe, only more; and few, long ones."""
BATCH = 8  # of the smoke recipe
HEAD = ["steps an epoch", "epochs", "s a step", "of it waiting, ms", "share (min to max)"]


class Wait(NamedTuple):
    """Means of one epoch's steps, in seconds."""

    epoch: int
    step: float
    wait: float

    @property
    def share(self) -> float:
        """Part of a step that waits for data, in [0, 1]."""
        return self.wait / self.step


def read_waits(run: Path) -> list[Wait]:
    """Read MMEngine's ``time`` and ``data_time`` of each epoch from a run's work_dir.

    Raises:
        ValueError: The run logged none.
    """
    records = [
        json.loads(line)
        for file in sorted(run.glob("*/vis_data/scalars.json"))
        for line in file.read_text().splitlines()
    ]
    waits = [Wait(r["epoch"], r["time"], r["data_time"]) for r in records if "data_time" in r]
    if not waits:
        raise ValueError(f"no data_time below {run}: did the run log nothing?")
    return waits


def run_recipe(
    recipe: Path, steps: int, epochs: int, run: Path, changes: Sequence[str] = ()
) -> None:
    """Train a recipe with ``tools/train.py`` in a process of its own, one record an epoch.

    Args:
        recipe: Whose batches hold ``BATCH`` clips.
        steps: Of an epoch.
        epochs: How many.
        run: Its work_dir.
        changes: More ``--cfg-options``.

    Raises:
        RuntimeError: Training failed; ends with what it said last.
    """
    options = [
        f"train_dataloader.dataset.num_images={steps * BATCH}",
        f"train_cfg.max_epochs={epochs}",
        # Written at the end of an epoch only: writing takes time that MMEngine counts as waiting.
        f"default_hooks.logger.interval={steps}",
        f"log_processor.window_size={steps}",
        "default_hooks.checkpoint.interval=-1",
        *changes,
    ]
    command = [sys.executable, str(TOOLS / "train.py"), str(recipe), "--work-dir", str(run)]
    done = subprocess.run([*command, "--cfg-options", *options], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{recipe.name} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def benchmark_data_wait(
    recipe: Path = RECIPE,
    runs: Sequence[tuple[int, int]] = RUNS,
    changes: Sequence[str] = (),
) -> str:
    """Train the smoke recipe, longer, and say how long its steps waited for data: a Markdown table.

    The first epoch stands apart: in it the workers start and every shader is written for the first
    time. An epoch's first step waits for a whole batch to be made, so the waiting also depends on
    how long an epoch is.

    Args:
        recipe: Whose batches hold ``BATCH`` clips.
        runs: For each run the steps of an epoch, and at least 2 epochs.
        changes: More ``--cfg-options``.

    Raises:
        ValueError: Fewer than 2 epochs.
    """
    rows = []
    for steps, epochs in runs:
        if epochs < 2:
            raise ValueError(f"epochs {epochs} must be 2 or more: the first one is left out")
        with tempfile.TemporaryDirectory() as folder:
            run_recipe(recipe, steps, epochs, Path(folder), changes)
            waits = read_waits(Path(folder))
        rows.append(_row(steps, "the first", waits[:1]))
        rows.append(_row(steps, f"2 to {epochs}", waits[1:]))
    title = f"Waiting for data, {recipe.name}"
    return f"### {title}\n\n{markdown_table(HEAD, rows)}"


def _row(steps: int, epochs: str, waits: Sequence[Wait]) -> list[str]:
    share = spread([100 * wait.share for wait in waits])
    return [
        str(steps),
        epochs,
        f"{spread([wait.step for wait in waits]).median:.3f}",
        f"{1000 * spread([wait.wait for wait in waits]).median:.1f}",
        share.text(".1f", " %"),
    ]
