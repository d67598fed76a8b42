"""The codes of a VQ-VAE: search, moving averages, and the return of codes that nobody uses."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from mmengine.dist import all_reduce, broadcast, get_world_size
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.token_noise import token_noise
from mmpmg.motion.ranges import number, whole

PLACE = "model"
ROWS = 16384
"""Vectors compared with all codes at a time: 128 MB of distances to 2048 codes."""


class Quantized(NamedTuple):
    """What a codebook makes of the vectors of a batch."""

    codes: Tensor
    """(R,) int64."""
    vectors: Tensor
    """(R, D), the codes' vectors; the gradient passes to the input as it is (straight through)."""
    commitment: Tensor
    """Scalar, the mean square between the input and its codes, with the gradient of the former."""
    usage: Tensor
    """Scalar in (0, 1], share of the codes that this batch uses, over all processes."""
    perplexity: Tensor
    """Scalar in [1, num_codes], exp of the entropy of their use."""


class Codebook(nn.Module):
    """Nearest-neighbour quantisation with a codebook of moving averages (VideoGPT, Sec. 3.1).

    While training, each call moves every code to the running mean of the n vectors that chose it:
    ``N <- decay N + (1 - decay) n``, ``z_avg <- decay z_avg + (1 - decay) sum``, and the code is
    ``z_avg / N'`` with ``N' = (N + eps) / (sum N + num_codes eps) sum N``, which is never 0. The
    first batch fills the codebook with vectors of its own.

    A code whose ``N`` is below ``restart_below`` begins again at a random vector of the batch, with
    a count that just keeps it alive: at every step, until a vector chooses it. VideoGPT's code
    leaves its count and sum as they were, so it comes back to the mean of all the places where it
    has been tried, and of where it died.

    What is drawn follows from the number of updates, which is in the state, so a resumed run draws
    the same. Sums and counts are those of all processes, and restarts are vectors of the first one.
    A batch with a vector that is not finite, on any process, changes no code.

    Args:
        num_codes: Codes, 2 or more.
        code_dim: D, numbers of each.
        decay: Of the moving averages, in [0, 1].
        eps: Added to each count, > 0.
        restart_below: Vectors a step, by the moving average, below which a code is dead; 0 for no
            restarts. 1 is VideoGPT's, whose steps have 64 vectors for each code.
    """

    embeddings: Tensor
    N: Tensor
    z_avg: Tensor
    num_updates: Tensor

    def __init__(
        self,
        num_codes: int = 2048,
        code_dim: int = 256,
        decay: float = 0.99,
        eps: float = 1e-7,
        restart_below: float = 1.0,
    ) -> None:
        super().__init__()
        self.num_codes = whole(PLACE, "num_codes", num_codes, 2, 2**31)
        self.code_dim = whole(PLACE, "code_dim", code_dim, 1, 2**31)
        self.decay = number(PLACE, "decay", decay, 0.0, 1.0)
        self.eps = number(PLACE, "eps", eps, 1e-12, 1.0)
        self.restart_below = number(PLACE, "restart_below", restart_below, 0.0, 1e9)
        # Names of VideoGPT's checkpoints, but for num_updates, which those lack.
        self.register_buffer("embeddings", torch.randn(num_codes, code_dim))
        self.register_buffer("N", torch.zeros(num_codes))
        self.register_buffer("z_avg", self.embeddings.clone())
        self.register_buffer("num_updates", torch.zeros((), dtype=torch.int64))
        self._filled = False

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        self._filled = False  # to be seen from what was loaded

    @property
    def filled(self) -> bool:
        """Whether the codes are of data, and not those that it was built with."""
        # The device is asked until it says yes, and then no more.
        self._filled = self._filled or bool(self.N.any())
        return self._filled

    @torch.no_grad()
    def nearest(self, vectors: Tensor) -> Tensor:
        """Find the nearest code of each vector: (R, D) -> (R,) int64; the first one of equals."""
        # |v - e|^2 = |v|^2 + 2 (|e|^2 / 2 - v.e), and |v|^2 is the same for all codes.
        with torch.autocast(vectors.device.type, enabled=False):
            half_squares = self.embeddings.square().sum(1) / 2
            found = [
                torch.addmm(half_squares, rows, self.embeddings.T, alpha=-1).argmin(1)
                for rows in vectors.to(self.embeddings.dtype).split(ROWS)
            ]
        return torch.cat(found)

    def lookup(self, codes: Tensor) -> Tensor:
        """Return the vectors of codes: (...,) int64 -> (..., D)."""
        return F.embedding(codes, self.embeddings)

    def forward(self, vectors: Tensor) -> Quantized:
        """Quantise the vectors of a batch, and learn from them while training.

        Args:
            vectors: (R, D), of the codes' precision.
        """
        fixed = vectors.detach()
        with torch.autocast(vectors.device.type, enabled=False):
            if self.training and not self.filled:
                self._fill(fixed)
            codes = self.nearest(fixed)
            chosen = self.lookup(codes)
            commitment = F.mse_loss(vectors, chosen)
            counts, sums = self._sums(fixed, codes)
            if self.training:
                self._update(fixed, counts, sums)
        share = counts / counts.sum()
        perplexity = torch.exp(torch.special.entr(share).sum())
        usage = (counts > 0).float().mean()
        return Quantized(
            codes, vectors + (chosen - vectors).detach(), commitment, usage, perplexity
        )

    @torch.no_grad()
    def _sums(self, vectors: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Number (num_codes,) and sum (num_codes, D) of the vectors of each code, of all ranks."""
        # As matrix products: adding by index has no fixed order on GPUs.
        joint = vectors.new_zeros(self.num_codes, self.code_dim + 1)
        ones = vectors.new_ones(len(vectors), 1)
        for rows, chosen in zip(
            torch.cat((vectors, ones), 1).split(ROWS), codes.split(ROWS), strict=True
        ):
            choice = rows.new_zeros(len(rows), self.num_codes).scatter_(1, chosen.unsqueeze(1), 1.0)
            joint += choice.T @ rows
        all_reduce(joint, "sum")
        return joint[:, -1], joint[:, :-1]

    @torch.no_grad()
    def _update(self, vectors: Tensor, counts: Tensor, sums: Tensor) -> None:
        """Move the codes to their running means, and the dead ones onto vectors of the batch."""
        numbers = self.N.lerp(counts, 1 - self.decay)
        z_avg = self.z_avg.lerp(sums, 1 - self.decay)
        total = numbers.sum()
        smoothed = (numbers + self.eps) / (total + self.num_codes * self.eps) * total
        embeddings = z_avg / smoothed.unsqueeze(1)
        if self.restart_below > 0:
            dead = numbers.lt(self.restart_below).unsqueeze(1)
            drawn = self._draw(vectors)
            embeddings = torch.where(dead, drawn, embeddings)
            z_avg = torch.where(dead, self.restart_below * drawn, z_avg)
            numbers = numbers.clamp(min=self.restart_below)
        # One NaN or overflow, of any rank, is in every sum: such a step must not end the codebook.
        finite = sums.isfinite().all()
        for own, new in ((self.N, numbers), (self.z_avg, z_avg), (self.embeddings, embeddings)):
            own.copy_(torch.where(finite, new, own))
        self.num_updates += 1

    @torch.no_grad()
    def _fill(self, vectors: Tensor) -> None:
        """Begin with vectors of the first batch, each counted once; wait if one is no number."""
        drawn = self._draw(vectors)
        finite = drawn.isfinite().all()
        self.embeddings.copy_(torch.where(finite, drawn, self.embeddings))
        self.z_avg.copy_(self.embeddings)
        self.N.copy_(finite.expand_as(self.N))
        self.num_updates += 1

    def _draw(self, vectors: Tensor) -> Tensor:
        """Draw num_codes vectors of the batch, none twice while there are others."""
        key = self.num_updates.reshape(1)
        # Each set of draws is a permutation of the batch; a second one is needed by small batches.
        order = token_noise(key, len(vectors))[0].argsort()
        picked = order[torch.arange(self.num_codes, device=order.device) % len(order)]
        drawn = vectors[picked]
        if len(vectors) < self.num_codes:
            # Apart by a hundredth, as VideoGPT has it, or the second of two equals is never chosen.
            noise = token_noise(key, drawn.numel(), stream=1)[0].reshape(drawn.shape)
            uniform = noise.to(drawn.dtype) / 2.0**63  # in [-1, 1)
            drawn = drawn + uniform * (0.01 * (3 / self.code_dim) ** 0.5)
        if get_world_size() > 1:
            drawn = drawn.contiguous()
            broadcast(drawn, 0)
        return drawn
