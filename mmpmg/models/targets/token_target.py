"""The common part of targets that are a field over the clip, cut into tokens."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmpmg.models.targets.token_statistics import normalize_known, normalize_tokens
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import TokenShape, tokens_at
from mmpmg.motion.ranges import flag

PLACE = "model.branches.*.head.target"


class TokenTarget(nn.Module):
    """Values of a field over the clip, at the masked tokens; a subclass says which field.

    A field may be unknown in places: it is NaN there, and the head leaves those values out of the
    loss. A target that has such places must say so by ``leaves_out``; of all others the head does
    not look, and a NaN would become the loss.

    Args:
        token_shape: (frames, rows, columns) of a token; the head fills it in.
        normalize: Whether each token is normalised by its own mean and standard deviation, per
            channel ("patch norm").
        eps: Added to the standard deviation, > 0.
        channels: Values of the field at each place.
        leaves_out: Whether the field may be NaN somewhere, which the loss then leaves out.
        cell: Side of the square of pixels for which the field has one value.

    Raises:
        ValueError: ``eps`` is not positive, or ``normalize`` no flag.
    """

    def __init__(
        self,
        token_shape: TokenShape,
        normalize: bool,
        eps: float,
        channels: int = 3,
        leaves_out: bool = False,
        cell: int = 1,
    ) -> None:
        super().__init__()
        if not 0 < eps < math.inf:
            raise ValueError(f"eps {eps} must be > 0 and finite; mend {PLACE}.eps")
        self.token_shape = token_shape
        self.normalize = flag(PLACE, "normalize", normalize)
        self.eps = eps
        self.channels = channels
        self.leaves_out = leaves_out
        self._known = leaves_out  # whether NaN is expected, or was looked for
        frames, rows, columns = token_shape
        self.field_shape: TokenShape = (frames, rows // cell, columns // cell)

    @property
    def num_values(self) -> int:
        """Numbers to predict per token: 2 * 16 * 16 * 3 = 1536 for pixels at VideoMAE's sizes."""
        frames, rows, columns = self.field_shape
        return frames * rows * columns * self.channels

    def check(self, num_frames: int, data_preprocessor: nn.Module) -> None:
        """Refuse a model in which this target cannot be computed, when it is built.

        Args:
            num_frames: T of the clips that the encoder is built for.
            data_preprocessor: The model's.

        Raises:
            ValueError: It cannot; the message names the recipe key.
        """

    def field(self, clip: WholeClip) -> Tensor:
        """Compute the field: (B, channels, T, H / cell, W / cell), NaN where it is unknown."""
        raise NotImplementedError

    @torch.no_grad()
    def forward(self, clip: WholeClip, masked: Tensor) -> Tensor:
        """Compute the target of the masked tokens only; no gradient flows through it.

        Args:
            clip: The unmasked clips.
            masked: (B, K) int64 numbers of the masked tokens.

        Returns:
            (B, K, num_values) float32 (float64 of such pixels), in (time, row, column) order,
            channel last; NaN where the field is unknown. The caller may write into it.

        Raises:
            ValueError: The field is not of its shape, or NaN without ``leaves_out``.
        """
        field = self.field(clip)
        self._check_field(field, clip.pixels)
        precise = field.to(torch.promote_types(field.dtype, torch.float32))
        tokens = tokens_at(precise, masked, self.field_shape)
        if self.normalize:
            # [B, K, P, C]: statistics over the places, for each channel.
            normalized = normalize_known if self.leaves_out else normalize_tokens
            tokens = normalized(tokens, self.eps)
        return tokens.flatten(2)

    def _check_field(self, field: Tensor, pixels: Tensor) -> None:
        """Hold a subclass to what it says of its field; only the first one is looked into."""
        frames, rows, columns = pixels.shape[2:]
        _, across, along = self.field_shape
        _, height, width = self.token_shape
        size = (rows * across // height, columns * along // width)
        wanted = (len(pixels), self.channels, frames, *size)
        name = type(self).__name__
        if tuple(field.shape) != wanted:
            raise ValueError(
                f"{name}.field returned {tuple(field.shape)}; the field of clips "
                f"{tuple(pixels.shape)} is (B, channels, T, H / cell, W / cell) = {wanted}, in "
                "frames without a value too: NaN, with leaves_out=True. Mend "
                f"{name}.field, or channels={self.channels} or cell, which {name} hands to "
                f"TokenTarget ({PLACE} in the recipe)"
            )
        # A look makes the host wait for the device, once.
        if not self._known and not torch.compiler.is_compiling():
            if field.isnan().any():
                raise ValueError(
                    f"{name}.field holds NaN, which is for what is unknown, but {name} does not "
                    "say that it leaves that out of the loss: hand leaves_out=True to "
                    f"TokenTarget, or mend {name}.field ({PLACE} in the recipe)"
                )
            self._known = True
