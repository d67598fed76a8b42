"""DEMVM's decoders: from the maps of a Swin encoder to one vector for each token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.backbones.masked_swin import INIT

SECOND, THIRD, FOURTH = 1, 2, 3  # stages as MMAction2 counts them
PLACE = "mend model.branches.*.neck"


@MODELS.register_module()
class SwinDecoder(BaseModule):
    """The lightweight decoder (Eq. 1 and 2): stage 4, four times as large, beside stage 2.

    Bilinear in space, and nothing to learn: what the classifier behind it needs to know, the
    encoder must have learned.

    Args:
        in_channels: Stage, from 0 -> width of its map; the pretrainer fills it in.
        init_cfg: MMEngine initialisers; there is nothing to initialise.

    Raises:
        ValueError: The encoder hands over other maps than those of stages 2 and 4.
    """

    def __init__(
        self, in_channels: Mapping[int, int], init_cfg: dict | list[dict] | None = None
    ) -> None:
        super().__init__(init_cfg)
        check_stages(self, in_channels, (SECOND, FOURTH))
        self.embed_dims = sum(in_channels.values())

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Decode.

        Args:
            maps: F2 (B, 2C, t, h, w) and F4 (B, 8C, t, h/4, w/4), where w and h of F4 are rounded
                up.

        Returns:
            (B, N, 10C), N = t * h * w tokens in (t, h, w) order.
        """
        second, fourth = maps
        joined = torch.cat((enlarge(fourth, 4, second), second), dim=1)
        return joined.flatten(2).transpose(1, 2)


@MODELS.register_module()
class FusingSwinDecoder(BaseModule):
    """The complex decoder of the ablation (Sec. 4.3, Table 7): stage 4 is enlarged in two steps.

    "Applying 2x upsampling twice and fusing the features in each upsampling stage": with stage 3,
    then with stage 2. How they are fused is not said. Here, as in feature pyramids: side by side
    through a convolution, LayerNorm and GELU.

    Args:
        in_channels: Stage, from 0 -> width of its map; the pretrainer fills it in.
        embed_dims: Width after each fusion, >= 1; that of Swin-T's stage 3.
        kernel_size: Side of the convolution in rows and columns, odd; it never mixes time slots,
            which the encoder's windows do already.
        init_cfg: MMEngine initialisers.

    Raises:
        ValueError: The encoder hands over other maps than those of stages 2, 3 and 4, or an option
            is out of its range.
    """

    def __init__(
        self,
        in_channels: Mapping[int, int],
        embed_dims: int = 384,
        kernel_size: int = 3,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(list(INIT) if init_cfg is None else init_cfg)
        check_stages(self, in_channels, (SECOND, THIRD, FOURTH))
        if embed_dims < 1:
            raise ValueError(f"embed_dims {embed_dims} must be >= 1; {PLACE}.embed_dims")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size {kernel_size} must be odd; {PLACE}.kernel_size")
        self.embed_dims = embed_dims
        second, third, fourth = in_channels.values()
        kernel, pad = (1, kernel_size, kernel_size), (0, kernel_size // 2, kernel_size // 2)
        self.fusions = ModuleList(
            nn.Conv3d(width, embed_dims, kernel, padding=pad)
            for width in (fourth + third, embed_dims + second)
        )
        self.norms = ModuleList(nn.LayerNorm(embed_dims) for _ in self.fusions)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Decode.

        Args:
            maps: F2 (B, 2C, t, h, w), F3 (B, 4C, t, h/2, w/2) and F4 (B, 8C, t, h/4, w/4), where
                sides are rounded up.

        Returns:
            (B, N, embed_dims), N = t * h * w tokens in (t, h, w) order.
        """
        second, third, x = maps
        for beside, fusion, norm in zip((third, second), self.fusions, self.norms, strict=True):
            x = fusion(torch.cat((enlarge(x, 2, beside), beside), dim=1))
            x = F.gelu(norm(x.movedim(1, -1))).movedim(-1, 1)
        return x.flatten(2).transpose(1, 2)


def enlarge(features: Tensor, factor: int, like: Tensor) -> Tensor:
    """Upsample a map bilinearly in space (Eq. 1).

    Args:
        features: (B, C, t, h, w).
        factor: How much larger its rows and columns become.
        like: (B, D, t, H, W) beside which the result will stand. An encoder that meets an odd side
            pads it at the end before halving it; what grew out of the padding is cut off.

    Returns:
        (B, C, t, H, W).
    """
    # Slot by slot: [B, C, t, h, w] -> [B*t, C, h, w]
    frames = features.transpose(1, 2).flatten(0, 1)
    frames = F.interpolate(frames, scale_factor=factor, mode="bilinear", align_corners=False)
    frames = frames[..., : like.shape[3], : like.shape[4]]
    return frames.unflatten(0, (len(features), -1)).transpose(1, 2)


def check_stages(decoder: nn.Module, given: Mapping[int, int], wanted: tuple[int, ...]) -> None:
    """Refuse an encoder that hands over other maps than a decoder takes.

    Args:
        decoder: Whose name is told.
        given: Stage, from 0 -> width.
        wanted: The stages that it takes.

    Raises:
        ValueError: They differ.
    """
    if tuple(given) != wanted:
        raise ValueError(
            f"{type(decoder).__name__} takes the maps of stages {wanted}, the encoder returns "
            f"{tuple(given)}; set model.backbone.out_indices={wanted}"
        )
