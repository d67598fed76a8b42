"""Pictures of segmented sequences, while they are tested."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpmg.visualization import write
from mmpmg.visualization.mask_overlay import beside, sequence_sheet


@HOOKS.register_module()
class SegmentationPictureHook(Hook):
    """Draws the masks of a test's first sequences to ``WORK_DIR/pictures/SEQUENCE.png``.

    True masks above, predicted ones below, frames from the first to the last. With several
    processes the main one draws of the sequences that it segments.

    Args:
        num_sequences: How many sequences, >= 1. None: all.
        columns: Frames shown of each, >= 1.
        cell_height: Height of a frame in the picture in pixels, >= 1.
        film: Also write ``SEQUENCE.mp4``: every frame, predicted masks at the right of true ones.

    Raises:
        ValueError: An option outside its range.
    """

    priority = "LOW"

    def __init__(
        self,
        num_sequences: int | None = 4,
        columns: int = 6,
        cell_height: int = 160,
        film: bool = False,
    ) -> None:
        options = dict(num_sequences=num_sequences, columns=columns, cell_height=cell_height)
        for name, value in options.items():
            if value is not None and value < 1:
                raise ValueError(
                    f"SegmentationPictureHook: {name} {value} must be >= 1; mend "
                    f"default_hooks.pictures.{name}"
                )
        self.num_sequences = num_sequences
        self.columns = columns
        self.cell_height = cell_height
        self.film = film
        self._drawn = 0

    def before_test_epoch(self, runner: Runner) -> None:
        """Begin to count sequences."""
        self._drawn = 0

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[Any] | None = None,
    ) -> None:
        """Draw the sequences of a batch, as long as pictures are wanted.

        Raises:
            ValueError: The model has predicted no masks.
        """
        if not is_main_process():
            return
        for inputs, sample in zip(data_batch["inputs"], outputs or (), strict=True):
            if self.num_sequences is not None and self._drawn >= self.num_sequences:
                return
            self._drawn += 1
            self._draw(runner, inputs, sample)

    def _draw(self, runner: Runner, inputs: torch.Tensor, sample: Any) -> None:
        if not {"pred_masks", "gt_masks"} <= set(sample.keys()):
            raise ValueError(
                "SegmentationPictureHook draws pred_masks and gt_masks, and a sample has only "
                f"{', '.join(sample.keys())}; take it out with default_hooks.pictures=None"
            )
        frames = inputs[0].permute(1, 2, 3, 0).cpu().numpy()  # (1, 3, T, H, W)
        truth, predicted = _array(sample.gt_masks), _array(sample.pred_masks)
        name = str(sample.get("sequence", f"sequence_{self._drawn}"))
        path = Path(runner.work_dir) / "pictures" / f"{name}.png"
        sheet = sequence_sheet(frames, truth, predicted, self.columns, name, self.cell_height)
        write(path, sheet)
        if self.film:
            write(path.with_suffix(".mp4"), beside(frames, truth, predicted))
        runner.logger.info("masks of %s drawn to %s", name, path)


def _array(masks: torch.Tensor) -> npt.NDArray[np.uint8]:
    return masks.to(device="cpu", dtype=torch.uint8).numpy()
