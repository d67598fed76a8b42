"""A Video Swin Transformer that sees a mask token where something is hidden."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.models.backbones import SwinTransformer3D
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmpmg.models.tokens import Grid, TokenShape

CELL = 2
"""Patches of a token along each side: a token is what the second stage has one place for."""
INIT = (
    # Swin's own rule (Liu et al., 2021), which MMAction2 follows.
    dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0),
    dict(type="Constant", layer="LayerNorm", val=1.0, bias=0.0),
)


@MODELS.register_module()
class MaskedSwinTransformer3D(SwinTransformer3D):
    """MMAction2's ``SwinTransformer3D`` with a mask token: the encoder of DEMVM (Sec. 3.1).

    Windows need every position, so nothing can be left out as in a ViT: patches of masked tokens
    are replaced by a learned vector. Without a mask it is MMAction2's encoder bit for bit, with the
    same keys in its state dict and ``mask_token`` besides.

    A token is 2 x 8 x 8 pixels, 2 x 2 patches of 2 x 4 x 4: the (T/2, H/8, W/8) grid of the second
    stage's map and of the 3D tokenizer. The paper does not say where the token stands: here, as in
    SimMIM and BEVT, behind the norm of the patch embedding, so that its length is learned as well.

    Where a map is smaller than ``window_size`` in height or width, MMAction2 reads the position
    bias at places that do not follow the geometry (in time it does); at 224 x 224 and the sizes of
    our toys' first stages that does not happen.

    Args:
        arch: "tiny", "small", "base", "large", or dict(embed_dims=..., depths=..., num_heads=...)
            with one depth and one number of heads for each of up to 4 stages.
        img_size: Side of the square frames that it is pre-trained on, a multiple of 8 pixels.
            Without a mask any other size is taken as well.
        num_frames: Frames of the clips that it is pre-trained on, a multiple of 2.
        patch_size: (frames, rows, columns) of a patch.
        window_size: (slots, rows, columns) of patches that attend to each other.
        mlp_ratio: Hidden width of the MLP over the width.
        drop_rate: Dropout after embedding, attention and MLP, in [0, 1).
        attn_drop_rate: Dropout of attention weights, in [0, 1).
        drop_path_rate: Stochastic depth of the last block, growing linearly from 0, in [0, 1).
        out_indices: Stages, from 0, whose maps are returned, each behind a LayerNorm of its own:
            (3,) for recognition, (1, 3) for ``SwinDecoder``, (1, 2, 3) for ``FusingSwinDecoder``.
        with_mask_token: Whether it can be masked. In recognition a parameter that meets no
            gradient would stop distributed training: False there.
        with_cp: Compute activations again in the backward pass instead of keeping them.
        frozen: Nothing in the encoder moves: no gradient is computed, and dropout and stochastic
            depth stay off. For linear probing.
        init_cfg: MMEngine initialisers, Swin's rule by default;
            ``dict(type="InflatedSwin", checkpoint=FILE)`` starts from an image model (Sec. 3.4).

    Raises:
        ValueError: Unknown ``arch``, or a size that is no multiple of a token's.
    """

    def __init__(
        self,
        arch: str | dict = "tiny",
        img_size: int = 224,
        num_frames: int = 16,
        patch_size: Sequence[int] = (2, 4, 4),
        window_size: Sequence[int] = (8, 7, 7),
        mlp_ratio: float = 4.0,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        out_indices: Sequence[int] = (3,),
        with_mask_token: bool = True,
        with_cp: bool = False,
        frozen: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if isinstance(arch, str) and arch not in self.arch_zoo:
            raise ValueError(
                f"arch {arch!r} is unknown; model.backbone.arch is one of "
                f"{', '.join(self.arch_zoo)}, or dict(embed_dims=..., depths=..., num_heads=...)"
            )
        frames, rows, columns = patch_size
        token_shape: TokenShape = (frames, CELL * rows, CELL * columns)
        for key, size, side in (
            ("num_frames", num_frames, token_shape[0]),
            ("img_size", img_size, token_shape[1]),
            ("img_size", img_size, token_shape[2]),
        ):
            if size < side or size % side:
                raise ValueError(
                    f"model.backbone.{key}={size} is no positive multiple of {side}: a token of "
                    f"the Swin encoder is {token_shape[0]} frames of {token_shape[1]} x "
                    f"{token_shape[2]} pixels, {CELL} x {CELL} patches"
                )
        super().__init__(
            arch=arch,
            pretrained2d=False,  # MMAction2's own inflation knows one layout: see InflatedSwin
            patch_size=tuple(patch_size),
            window_size=tuple(window_size),
            mlp_ratio=mlp_ratio,
            drop_rate=drop_rate,
            attn_drop_rate=attn_drop_rate,
            drop_path_rate=drop_path_rate,
            out_indices=tuple(out_indices),
            with_cp=with_cp,
            init_cfg=list(INIT) if init_cfg is None else init_cfg,
        )
        self.mask_token = nn.Parameter(torch.zeros(self.embed_dims)) if with_mask_token else None
        self.token_shape = token_shape
        self.grid: Grid = (
            num_frames // token_shape[0], img_size // token_shape[1], img_size // token_shape[2]
        )  # fmt: skip
        self.frozen = frozen
        if frozen:
            self.requires_grad_(False)

    @property
    def num_tokens(self) -> int:
        """N, the tokens of a clip of the size it was built for."""
        return self.grid[0] * self.grid[1] * self.grid[2]

    @property
    def out_channels(self) -> dict[int, int]:
        """Stage, from 0 -> width of the map that it returns, in their order."""
        return {stage: self.num_features[stage] for stage in sorted(self.out_indices)}

    def init_weights(self) -> None:
        """Initialise the mask token as BEVT does, then what ``init_cfg`` says."""
        if self.mask_token is not None:
            nn.init.trunc_normal_(self.mask_token, std=0.02)
        super().init_weights()

    def train(self, mode: bool = True) -> MaskedSwinTransformer3D:
        """Switch between training and evaluation; a frozen encoder always evaluates."""
        super().train(mode and not self.frozen)
        return self

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, ...]:
        """Encode a clip.

        Args:
            x: (B, 3, T, H, W), normalised.
            mask: (B, N) bool, True = masked, on the grid of tokens of 2 x 8 x 8 pixels; None hides
                nothing.

        Returns:
            What MMAction2's encoder returns: the map (B, C, T/2, h, w) of the one stage in
            ``out_indices``, or a tuple of them. h = H/4, H/8, H/16, H/32 by stage.

        Raises:
            ValueError: The mask is not of the clip's tokens, or there is no mask token.
        """
        if mask is None:
            return super().forward(x)
        if self.mask_token is None:
            raise ValueError(
                "an encoder without a mask token cannot be masked; set "
                "model.backbone.with_mask_token=True"
            )
        size = tuple(x.shape[2:])
        grid = tuple(side // step for side, step in zip(size, self.token_shape, strict=True))
        fits = all(side % step == 0 for side, step in zip(size, self.token_shape, strict=True))
        if not fits or mask.shape[1] != grid[0] * grid[1] * grid[2]:
            raise ValueError(
                f"a mask of {mask.shape[1]} tokens does not fit a clip of (T, H, W) = {size}, cut "
                f"into tokens of {self.token_shape}; make model.backbone.num_frames and img_size "
                "agree with the pipeline"
            )
        x = self._hide(self.patch_embed(x), mask.unflatten(1, grid))
        # From here on as in MMAction2, which has no place where a mask could come in.
        x = self.pos_drop(x)
        maps = []
        for i, layer in enumerate(self.layers):
            x = layer(x.contiguous(), do_downsample=False)  # [B, C, t, h, w] -> [B, t, h, w, C]
            if i in self.out_indices:
                maps.append(getattr(self, f"norm{i}")(x).movedim(-1, 1).contiguous())
            if layer.downsample is not None:
                x = layer.downsample(x)
            x = x.movedim(-1, 1)
        return maps[0] if len(maps) == 1 else tuple(maps)

    def _hide(self, patches: Tensor, mask: Tensor) -> Tensor:
        """Put the mask token in place of masked patches.

        Args:
            patches: (B, C, t, 2h, 2w).
            mask: (B, t, h, w) bool.
        """
        hidden = mask.repeat_interleave(CELL, 2).repeat_interleave(CELL, 3).unsqueeze(1)
        assert self.mask_token is not None
        token = self.mask_token.to(patches.dtype)[:, None, None, None]
        # Chosen, not multiplied by zero: a masked pixel that is no number does no harm.
        return torch.where(hidden, token, patches)
