"""A target of your own: how the change itself changes, the second difference in time."""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmpmg.models.targets import TokenTarget, WholeClip
from mmpmg.models.tokens import TokenShape


@MODELS.register_module()
class AccelerationTarget(TokenTarget):
    """``x[k+1] - 2 x[k] + x[k-1]`` of the pixels in [0, 1], for each colour.

    The first and the last frame have a neighbour too few: they are NaN, which the loss leaves out.

    Args:
        token_shape: (frames, rows, columns) of a token; the head fills it in.
        normalize: Whether each token is normalised by its own mean and standard deviation.
    """

    def __init__(self, token_shape: TokenShape, normalize: bool = True) -> None:
        super().__init__(token_shape, normalize, eps=1e-6, channels=3, leaves_out=True)

    def check(self, num_frames: int, data_preprocessor: nn.Module) -> None:
        """Refuse clips without a second difference, when the model is built."""
        if num_frames < 3:
            raise ValueError(f"clips of {num_frames} frames: AccelerationTarget needs 3 or more")

    def field(self, clip: WholeClip) -> Tensor:
        """Compute it for whole clips: (B, 3, T, H, W), NaN where it is unknown."""
        x = clip.pixels.float()
        field = torch.full_like(x, torch.nan)
        field[:, :, 1:-1] = x[:, :, 2:] - 2 * x[:, :, 1:-1] + x[:, :, :-2]
        return field
