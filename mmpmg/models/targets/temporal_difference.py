"""What changes from a frame to a later one, as the thing to predict."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.targets.clip_end import CLIP_ENDS, fill_clip_end, least_frames
from mmpmg.models.targets.token_target import PLACE, TokenTarget
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import TokenShape
from mmpmg.motion.ranges import choice, flag

ROUNDING = 2.0**-14
"""Differences up to this are none: 1/64 of a grey level, 500 times float32's rounding."""


@MODELS.register_module()
class TemporalDifferenceTarget(TokenTarget):
    """MotionMAE's target (Sec. 3): frame k against frame k + g, in pixels of [0, 1] per colour.

    The paper says "L_1 difference of pixel values", and no more. Read here as ``|x[k+g] - x[k]|``,
    the only formula that has this name; ``signed`` keeps the direction of the change. What does
    not change is exactly 0, normalised or not, whatever the device rounds.

    What stands in the last g frames is the paper's silence. It says that all it needs is in the
    clip, so frames after the clip are out. "earlier" is the default: each value is a difference of
    two frames of this clip, every token has all its values, and no loss is weighted. For those g
    frames it is ``x[k] - x[k-g]``, a second time. "leave_out" invents and repeats nothing, for a
    loss from fewer values. "zero" teaches that videos end in a standstill.

    Args:
        token_shape: (frames, rows, columns) of a token; the head fills it in.
        granularity: g in frames, >= 1; 1, 2 and 3 in Table 5c.
        signed: Whether differences keep their sign.
        clip_end: "earlier", "zero" or "leave_out", see `fill_clip_end`.
        normalize: Per-token normalisation ("patch norm" of Table 6a).
        eps: Added to the standard deviation, > 0.

    Raises:
        ValueError: An option is out of its range.
    """

    def __init__(
        self,
        token_shape: TokenShape,
        granularity: int = 1,
        signed: bool = False,
        clip_end: str = "earlier",
        normalize: bool = True,
        eps: float = 1e-6,
    ) -> None:
        if type(granularity) is not int or granularity < 1:
            raise ValueError(
                f"granularity {granularity!r} must be a number of frames, 1 or more; mend "
                f"{PLACE}.granularity"
            )
        choice(PLACE, "clip_end", clip_end, CLIP_ENDS)
        super().__init__(token_shape, normalize, eps, leaves_out=clip_end == "leave_out")
        self.granularity = granularity
        self.signed = flag(PLACE, "signed", signed)
        self.clip_end = clip_end

    def check(self, num_frames: int, data_preprocessor: nn.Module) -> None:
        """Refuse clips that are too short for the granularity.

        Raises:
            ValueError: They are.
        """
        self._check_length(num_frames)

    def _check_length(self, num_frames: int) -> None:
        least = least_frames(self.granularity, self.clip_end)
        if num_frames < least:
            raise ValueError(
                f"granularity {self.granularity} with clip_end {self.clip_end!r} needs clips of "
                f"{least} frames or more, and these have {num_frames}; mend "
                f"{PLACE}.granularity, or the clips' length (model.backbone.num_frames and the "
                "pipeline)"
            )

    def field(self, clip: WholeClip) -> Tensor:
        """Subtract each frame from the one g later: (B, 3, T, H, W)."""
        pixels = clip.pixels.to(torch.promote_types(clip.pixels.dtype, torch.float32))
        self._check_length(pixels.shape[2])
        step = self.granularity
        difference = F.hardshrink(pixels[:, :, step:] - pixels[:, :, :-step], ROUNDING)
        if not self.signed:
            difference = difference.abs_()
        return fill_clip_end(difference, step, self.clip_end)
