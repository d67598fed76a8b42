"""The loop: videos that are missing in, rows beside the file that is being extracted out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from mmpmg.engine.dead_workers import run_naming_dead_workers
from mmpmg.engine.folder_lock import Lock
from mmpmg.engine.image_generation.layout import Shard
from mmpmg.engine.image_generation.progress import Progress

from .encoder import PooledEncoder
from .folder import PartsFolder
from .parts import DoneRows, RowWriter
from .videos import Decoded, Unreadable, Videos, video_loader


class Extraction:
    """What is extracted, by what.

    Args:
        videos: the whole set.
        encoder: gives a vector for every view.
        views: of a video: what the test pipeline is expected to give.
        crops: number of crops of each clip to average over, for one row a clip; None: one row a
            video, the mean over all its views.
    """

    def __init__(
        self, videos: Videos, encoder: PooledEncoder, views: int, crops: int | None
    ) -> None:
        self.videos = videos
        self.encoder = encoder
        self.views = views
        self.crops = crops

    def run(self, folder: PartsFolder, shard: Shard, lock: Lock, workers: int) -> None:
        """Extract what is missing of a shard; every batch is on the disk before the next.

        Args:
            folder: where to.
            shard: its videos are every COUNT-th, from NUMBER on.
            lock: the shard's.
            workers: processes that decode.

        Raises:
            TooManyBadSamplesError: too many videos cannot be read.
            DataWorkerError: a worker died.
            LockError: another run has taken the shard, or its folder is gone.
            OSError: a file cannot be written.
        """
        done = DoneRows(folder.path, len(self.videos))
        own = np.arange(shard.number, len(self.videos), shard.count)
        due = done.due(own)
        if not len(due):
            return
        # What earlier runs of this shard could not read is tried again, so it does not count yet.
        for number in own[done.file_of[own] >= 0].tolist():
            self.videos.bad_samples.add_good(number)
        of_shard = f" of shard {shard}" if shard.count > 1 else ""
        again = len(due) - len(done.missing(due))
        tried = f" ({again} could not be read before)" if again else ""
        print(f"{len(due)} of {len(own)} videos{of_shard} to do{tried}, on {self.encoder.device}")
        size = max(1, self.encoder.views_at_once // self.views)
        batches = [due[start : start + size].tolist() for start in range(0, len(due), size)]
        pin = self.encoder.device.type == "cuda"
        loader = video_loader(self.videos, batches, workers, pin)
        progress = Progress(len(own), len(own) - len(due), "videos")

        def run() -> None:
            with RowWriter(folder.path) as writer:
                for items in loader:
                    writer.add(*self._rows(items))
                    lock.beat()
                    progress.add(len(items))

        loops: Any = SimpleNamespace(_test_loop=SimpleNamespace(dataloader=loader))
        run_naming_dead_workers(run, loops)
        progress.finish()

    def _rows(
        self, items: list[Decoded | Unreadable]
    ) -> tuple[list[int], np.ndarray, dict[int, str]]:
        """Return numbers and vectors of the videos of a batch, and what is wrong with the rest."""
        good = [one for one in items if isinstance(one, Decoded)]
        bad = {one.number: one.reason for one in items if isinstance(one, Unreadable)}
        for one in good:
            self.videos.bad_samples.add_good(one.number)
        for number, reason in bad.items():
            self.videos.bad_samples.add(number, RuntimeError(reason))
        if not good:
            return [], np.empty((0, 0, 0), np.float32), bad
        vectors = self.encoder([one.views for one in good])
        if self.crops is None:
            rows = vectors.mean(1, keepdim=True)
        else:
            # The pipeline's views come crop by crop: [B, crops * clips, C] -> [B, clips, C].
            rows = vectors.unflatten(1, (self.crops, -1)).mean(1)
        return [one.number for one in good], rows.numpy(), bad
