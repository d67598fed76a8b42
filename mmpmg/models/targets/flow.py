"""Where the pixels of a frame go in the next one, as the thing to predict."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmpmg.models.data_preprocessors.clip_flow import batch_flow
from mmpmg.models.targets.clip_end import CLIP_ENDS, fill_clip_end
from mmpmg.models.targets.token_target import PLACE, TokenTarget
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import TokenShape
from mmpmg.motion.ranges import choice

UNITS = ("token", "pixel")
UNSEEN = ("leave_out", "keep")


@MODELS.register_module()
class FlowTarget(TokenTarget):
    """Optical flow, frame k to k + 1: exact for pseudo-motion clips, estimated for real ones.

    MotionMAE's Table 7 puts flow in the place of the temporal difference. The exact flow of
    pseudo-motion clips comes from the motions themselves
    (``model.data_preprocessor.with_flow=True``); real clips need the ``DenseFlow`` transform.
    Mixed clips have no single flow, so there is no ``blending``.

    Silences of the paper, and what is chosen: displacements are counted in sides of a token, so
    that their squares are below 1, not far below (PMG's zooms and affine motions; in pixels a
    hundred times the loss of normalised pixels). They are not normalised per token: that takes the
    mean out, which is most of what a flow is. The flow of a pixel that the next frame does not show
    (behind a layer, out of the frame, behind the horizon, where there is none) is no change that
    two frames show, and left out; so is that of the last frame, which has no next one.

    Args:
        token_shape: (frames, rows, columns) of a token; the head fills it in.
        unit: "token": dx in widths and dy in heights of a token; "pixel".
        cell: Side of the squares of pixels over which the flow is averaged, a divisor of the
            token's rows and columns. 1 is the flow as it is: 2 x 16 x 16 x 2 = 1024 values a
            token, two thirds of what pixels take.
        unseen: Pixels that are not covisible: "leave_out" of the loss, or "keep" what the motion
            says of them, extrapolated: far out of the frame before a horizon, and 0, which means
            nothing, behind it.
        clip_end: The last frame: "leave_out", "zero" or "earlier", see `fill_clip_end`.
        normalize: Per-token normalisation of dx and of dy.
        eps: Added to the standard deviation, > 0.

    Raises:
        ValueError: An option is out of its range.
    """

    unit_sides: Tensor

    def __init__(
        self,
        token_shape: TokenShape,
        unit: str = "token",
        cell: int = 1,
        unseen: str = "leave_out",
        clip_end: str = "leave_out",
        normalize: bool = False,
        eps: float = 1e-6,
    ) -> None:
        choice(PLACE, "unit", unit, UNITS)
        choice(PLACE, "unseen", unseen, UNSEEN)
        choice(PLACE, "clip_end", clip_end, CLIP_ENDS)
        _, rows, columns = token_shape
        if type(cell) is not int or cell < 1 or rows % cell or columns % cell:
            raise ValueError(
                f"cell {cell!r} must divide the {rows} rows and {columns} columns of a token; mend "
                f"{PLACE}.cell"
            )
        leaves_out = "leave_out" in (unseen, clip_end)
        super().__init__(token_shape, normalize, eps, channels=2, leaves_out=leaves_out, cell=cell)
        self.unseen = unseen
        self.clip_end = clip_end
        self.cell = cell
        sides = (columns, rows) if unit == "token" else (1, 1)
        self.register_buffer("unit_sides", torch.tensor(sides).float(), persistent=False)

    def check(self, num_frames: int, data_preprocessor: nn.Module) -> None:
        """Refuse a model whose samples will have no flow.

        Raises:
            ValueError: The data preprocessor attaches none, or a clip is one frame.
        """
        if num_frames < 2:
            raise ValueError(
                f"flow needs clips of 2 frames or more, and these have {num_frames}; mend "
                "model.backbone.num_frames and the pipeline"
            )
        if not getattr(data_preprocessor, "with_flow", False):
            raise ValueError(
                "FlowTarget needs the flow of the clips: set "
                "model.data_preprocessor=dict(type='PMGDataPreprocessor', with_flow=True, "
                "blending=None). Pseudo-motion clips then have their exact flow; for real ones put "
                "dict(type='DenseFlow') behind the last crop, resize or flip of the pipeline"
            )

    @torch.compiler.disable  # walks over samples
    def field(self, clip: WholeClip) -> Tensor:
        """Collect the flow of the batch: (B, 2, T, H / cell, W / cell), dx before dy."""
        flow, covisible = batch_flow(clip.samples)
        flow = flow / self.unit_sides.to(flow.dtype)
        if self.unseen == "leave_out":
            flow = flow.masked_fill_(covisible.logical_not().unsqueeze(-1), torch.nan)
        if self.cell > 1:
            side = self.cell
            # [B, T-1, H, W, 2] -> [B, T-1, H/s, s, W/s, s, 2]: the mean of what is known.
            cells = flow.unflatten(3, (-1, side)).unflatten(2, (-1, side))
            flow = cells.nanmean(dim=(3, 5))
        return fill_clip_end(flow.permute(0, 4, 1, 2, 3), 1, self.clip_end)
