"""Label propagation: a frame takes its labels from the cells of earlier frames that look alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmpmg.motion.ranges import flag, number, whole

OWNER = "LabelPropagation"


@dataclass(frozen=True)
class LabelPropagation:
    """The propagation step of Jabri et al. 2020 (arXiv 2006.14613, Sec. 4.1 and App. F).

    A query cell looks at the cells of the first frame and of the frames before it, keeps the
    ``top_k`` most similar ones, and takes the mean of their labels, weighted by the softmax of
    cosine similarity over ``temperature``. The defaults are those of the authors' evaluation.

    As in the authors' code, copies of the first frame stand for the frames before it, so that a
    cell of a still picture finds itself more than ``top_k`` times and keeps its labels.

    Attributes:
        context_frames: Earlier frames to look at, besides the first, >= 1. (DINO: 7.)
        top_k: Cells to keep, >= 1. (DINO: 5.)
        radius: Cells of earlier frames count if they are nearer than this, in cells; None: all do.
            The authors' is 12 on cells of 8 pixels; DINO keeps 12 on cells of 16 (a square there).
        temperature: Of the softmax, > 0. (The authors' model retrained after their paper takes
            0.05, DINO 0.1.)
        restrict_first: Whether the radius holds for the first frame too: it does in DINO's
            evaluation; not here, so that objects can be found again that were hidden or fast.
        fill_context: Whether copies of the first frame fill the context at the start of a
            sequence, and count as earlier frames. (DINO: False, every frame counts once.)
        max_affinity: Similarities in memory at a time, each of 4 bytes; bounds memory, at a row of
            them at least, and leaves the result as it is.
    """

    context_frames: int = 20
    top_k: int = 10
    radius: float | None = 12.0
    temperature: float = 0.07
    restrict_first: bool = False
    fill_context: bool = True
    max_affinity: int = 2**24

    def __post_init__(self) -> None:
        """Check every option, naming the recipe key.

        Raises:
            ValueError: One is out of its range.
        """
        whole(OWNER, "model.context_frames", self.context_frames, 1, 10_000)
        whole(OWNER, "model.top_k", self.top_k, 1, 10_000)
        whole(OWNER, "model.max_affinity", self.max_affinity, 1, 2**40)
        number(OWNER, "model.temperature", self.temperature, 1e-4, 100.0)
        flag(OWNER, "model.restrict_first", self.restrict_first)
        flag(OWNER, "model.fill_context", self.fill_context)
        if self.radius is not None:  # a cell is always near itself
            number(OWNER, "model.radius", self.radius, 1e-3, 10_000.0)

    def __call__(
        self, query: Tensor, keys: Tensor, labels: Tensor, grid: tuple[int, int]
    ) -> Tensor:
        """Propagate labels to one frame.

        Args:
            query: (N, C) features of the frame, each of length 1, N = h * w.
            keys: (K, N, C) features of the context, the first frame's first.
            labels: (K, N, L) soft labels of the context.
            grid: (h, w) cells of a frame.

        Returns:
            (N, L) soft labels; rows sum to 1 if those of the context do.
        """
        frames, cells = keys.shape[:2]
        flat_labels = labels.flatten(0, 1)
        step = max(1, self.max_affinity // (frames * cells))
        parts = []
        for start in range(0, cells, step):
            rows = torch.arange(start, min(start + step, cells), device=query.device)
            value, index = self._most_alike(query[rows], keys, rows, grid)
            # A cell out of reach, where fewer than top_k are within, weighs exp(-inf) = 0.
            weight = (value / self.temperature).softmax(dim=1)
            parts.append(torch.einsum("qk,qkl->ql", weight, flat_labels[index]))
        return torch.cat(parts)

    def _most_alike(
        self, query: Tensor, keys: Tensor, rows: Tensor, grid: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Similarities (Q, k) and numbers of the likest cells in reach; nothing else stays."""
        frames, cells = keys.shape[:2]
        similarity = query @ keys.flatten(0, 1).T
        if self.radius is not None:
            # [Q, K*N] -> [Q, K, N], the same memory
            recent = similarity.view(len(rows), frames, cells)[:, not self.restrict_first :]
            recent.masked_fill_(far_cells(rows, grid, self.radius)[:, None], -torch.inf)
        value, index = similarity.topk(min(self.top_k, frames * cells), dim=1)
        return value, index


def far_cells(rows: Tensor, grid: tuple[int, int], radius: float) -> Tensor:
    """Which cells are out of reach.

    Args:
        rows: (Q,) numbers of the asking cells.
        grid: (h, w).
        radius: In cells; a cell at just this Euclidean distance is out of reach.

    Returns:
        (Q, h * w) bool.
    """
    down = (rows // grid[1])[:, None] - torch.arange(grid[0], device=rows.device)
    across = (rows % grid[1])[:, None] - torch.arange(grid[1], device=rows.device)
    # [Q, h, 1] + [Q, 1, w]
    squared = down.square()[:, :, None] + across.square()[:, None]
    return (squared >= radius**2).flatten(1)
