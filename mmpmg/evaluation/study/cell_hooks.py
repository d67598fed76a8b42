"""Hooks of a cell's training: checkpoints by time, an end before a deadline, and what is counted.

They are added when a cell is run and are not part of its recipe, as they change no number: whatever
is drawn in training follows from (run seed, iteration), so that a run which goes on from the end of
an epoch goes on exactly (on a GPU, as exactly as its kernels repeat themselves). What a cell has
counted travels in its checkpoints, so that a killed cell counts what it kept.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from mmpmg.evaluation.study.cells import STATE, read_json, write_json

STOPPED = 75
"""Exit status of a cell that ended before its deadline to go on later."""
SAVE_EVERY = 20.0
"""Seconds of work that a killed cell loses at most, but for the epoch that it was in."""
_COUNTED = "study_counted"


@HOOKS.register_module()
class CellCountHook(Hook):
    """Counts updates, clips, seconds and the loss of a cell, and writes ``state.json``.

    Args:
        folder: The cell's folder.
        born: Time at which its process started, seconds since the epoch.
    """

    priority = "LOW"  # after everything that trains, before the checkpoint

    def __init__(self, folder: str, born: float) -> None:
        self.folder, self.born = Path(folder), born
        self.startup: float | None = None
        self.top1: float | None = None
        self.videos: int | None = None
        self._written = 0.0

    def before_train(self, runner: Runner) -> None:
        """Take over what the checkpoint had counted."""
        if runner.message_hub.runtime_info.get(_COUNTED) is None or not runner.train_loop.epoch:
            counted = dict(updates=0, clips=0, seconds=0.0, epoch_seconds=0.0, loss=None)
            runner.message_hub.update_info(_COUNTED, counted)
        self._validated_from = time.monotonic()

    def counted(self, runner: Runner) -> dict[str, Any]:
        """Return the counts at the end of the last epoch."""
        return dict(runner.message_hub.get_info(_COUNTED))

    def before_train_epoch(self, runner: Runner) -> None:
        """Start to count an epoch."""
        self._from, self._batches, self._clips, self._loss = time.monotonic(), 0, 0, 0.0
        # MMEngine's loops start the data workers now, so that this is a start-up's end, roughly.
        if self.startup is None:
            self.startup = time.time() - self.born

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Count a batch."""
        self._batches += 1
        self._clips += len(data_batch["data_samples"])
        self._loss += float(outputs["loss"].detach())
        if time.monotonic() - self._written > 5:
            self.write_state(runner, self._batches / len(runner.train_dataloader))

    def after_train_epoch(self, runner: Runner) -> None:
        """Add the epoch to what is counted."""
        seconds, before = time.monotonic() - self._from, self.counted(runner)
        loss = self._loss / max(self._batches, 1)
        counted = dict(
            updates=before["updates"] + self._batches,
            clips=before["clips"] + self._clips,
            seconds=before["seconds"] + seconds,
            epoch_seconds=max(before["epoch_seconds"], seconds),
            loss=loss if math.isfinite(loss) else None,
        )
        runner.message_hub.update_info(_COUNTED, counted)
        self.write_state(runner, 1.0)
        self._validated_from = time.monotonic()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Keep the accuracy: the last one, not the best."""
        top1 = (metrics or {}).get("acc/top1")
        if top1 is not None:
            self.top1, self.videos = float(top1), len(runner.val_dataloader.dataset)
        counted = self.counted(runner)
        counted["seconds"] += time.monotonic() - self._validated_from
        runner.message_hub.update_info(_COUNTED, counted)

    def write_state(self, runner: Runner, share: float) -> None:
        """Write how far the cell is; ``share`` of the current epoch is done."""
        self._written = time.monotonic()
        state = read_json(self.folder / STATE) or {}
        counted = self.counted(runner)
        epoch = int(runner.epoch)
        write_json(
            self.folder / STATE,
            {
                **state,
                **counted,
                "epoch": epoch + int(share == 1),
                "epoch_share": 0.0 if share == 1 else share,
                "epochs": int(runner.max_epochs),
                "epoch_seconds": counted["epoch_seconds"] or None,
                "startup": self.startup,
                "deaths": 0 if share == 1 else state.get("deaths", 0),
            },
        )


@HOOKS.register_module()
class CellCheckpointHook(CheckpointHook):
    """Saves at an epoch's end when enough time has passed, and ends in time for a deadline.

    The last epoch is saved only where the checkpoint is asked for: a fine-tuning that is killed in
    its final validation goes on before its last epoch, and so validates again.

    Args:
        until: Time to end before, seconds since the epoch; None: no deadline.
        save_every: Seconds between checkpoints, >= 0.
        save_last: Save the last epoch.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        until: float | None = None,
        save_every: float = SAVE_EVERY,
        save_last: bool = True,
    ) -> None:
        # Two: MMEngine removes the oldest before it writes, in place, the newest.
        super().__init__(interval=1, max_keep_ckpts=2, save_last=save_last)
        self.until, self.save_every = until, save_every
        self._saved = self._epoch_began = time.monotonic()
        self._longest = self._save_seconds = 0.0

    def before_train_epoch(self, runner: Runner) -> None:
        """Look at the clock."""
        self._epoch_began = time.monotonic()

    def after_train_epoch(self, runner: Runner) -> None:
        """Save if it is time to, and end if the next epoch might not be finished in time.

        Raises:
            SystemExit: With `STOPPED`, where the deadline is near.
        """
        now = time.monotonic()
        self._longest = max(self._longest, now - self._epoch_began)
        last = self.is_last_train_epoch(runner)
        left = math.inf if self.until is None else self.until - time.time()
        # An epoch may be slower than those before, and the process takes a moment to end.
        stop = not last and left < 1.25 * self._longest + 2 * self._save_seconds + 2
        if (last and self.save_last) or (
            not last and (stop or now - self._saved >= self.save_every)
        ):
            self._save_checkpoint(runner)
            self._saved = time.monotonic()
            self._save_seconds = max(self._save_seconds, self._saved - now)
        if stop:
            runner.logger.info("stopped before the deadline; the next call goes on from here")
            raise SystemExit(STOPPED)
