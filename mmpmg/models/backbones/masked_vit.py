"""A video transformer that embeds and sees visible tokens only."""

from __future__ import annotations

from mmaction.models.backbones.vit_mae import VisionTransformer
from mmaction.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from mmpmg.models.attention import fuse_blocks
from mmpmg.models.block_stack import run_blocks
from mmpmg.models.tokens import Grid, TokenShape, patchify, token_grid, tokens_at

ARCHITECTURES: dict[str, tuple[int, int, int]] = {
    # name: (width, blocks, heads)
    "tiny": (192, 12, 3),
    "small": (384, 12, 6),
    "base": (768, 12, 12),
    "large": (1024, 24, 16),
    "huge": (1280, 32, 16),
}
PRETRAIN_INIT = (
    # VideoMAE initialises the encoder with Xavier's uniform rule and zero biases.
    dict(type="Xavier", layer="Linear", distribution="uniform", bias=0.0),
    dict(type="Constant", layer="LayerNorm", val=1.0, bias=0.0),
)


@MODELS.register_module()
class MaskedVisionTransformer(VisionTransformer):
    """VideoMAE's encoder (Sec. 3.2): patch embedding, fixed sinusoid positions, ViT blocks.

    The state dict is that of MMAction2's ``VisionTransformer`` of the same settings, which it
    extends: attention is fused, and with ``visible`` given only those tokens are embedded, so
    masked pixels are neither read nor stored. It is at home in ``MaskedVideoPretrainer``
    (``use_mean_pooling=False``: closed by ``norm``) and in ``Recognizer3D``
    (``use_mean_pooling=True``: closed by ``fc_norm``).

    Args:
        arch: "tiny", "small", "base", "large" or "huge": ViT-Ti/S/B/L/H.
        img_size: Side of the square frames in pixels, a multiple of ``patch_size``.
        num_frames: Frames of a clip, a multiple of ``tubelet_size``.
        patch_size: Side of a token in pixels.
        tubelet_size: Frames of a token.
        in_channels: Colour channels.
        embed_dims: Width, in place of the architecture's.
        depth: Number of blocks, in place of the architecture's.
        num_heads: Attention heads, in place of the architecture's; must divide the width.
        mlp_ratio: Hidden width of the MLP over the width.
        qkv_bias: Learn biases of q and v (the key has none).
        drop_rate: Dropout after embedding, attention and MLP, in [0, 1).
        attn_drop_rate: Dropout of attention weights, in [0, 1).
        drop_path_rate: Stochastic depth of the last block, growing linearly from 0, in [0, 1).
        use_mean_pooling: Close with ``fc_norm`` over the mean of all tokens (recognition) instead
            of ``norm`` on each token (pre-training).
        return_feat_map: Return (B, C, t, h, w) instead of a vector, for recognition.
        with_cp: Compute activations again in the backward pass instead of keeping them, see
            `run_blocks`: for large models on small GPUs.
        frozen: Nothing in the encoder moves: no gradient is computed, and dropout and stochastic
            depth stay off. For linear probing (PMG, supplement, Sec. H).
        init_cfg: MMEngine initialisers; VideoMAE's pre-training rule by default.

    Raises:
        ValueError: Unknown ``arch``, or sizes that do not divide.
    """

    def __init__(
        self,
        arch: str = "base",
        img_size: int = 224,
        num_frames: int = 16,
        patch_size: int = 16,
        tubelet_size: int = 2,
        in_channels: int = 3,
        embed_dims: int | None = None,
        depth: int | None = None,
        num_heads: int | None = None,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        use_mean_pooling: bool = True,
        return_feat_map: bool = False,
        with_cp: bool = False,
        frozen: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if arch not in ARCHITECTURES:
            raise ValueError(
                f"arch {arch!r} is unknown; model.backbone.arch is one of "
                f"{', '.join(ARCHITECTURES)}"
            )
        width, blocks, heads = ARCHITECTURES[arch]
        width, blocks, heads = embed_dims or width, depth or blocks, num_heads or heads
        if width % heads:
            raise ValueError(
                f"embed_dims {width} is not a multiple of num_heads {heads}; mend "
                "model.backbone.embed_dims or model.backbone.num_heads"
            )
        token_shape: TokenShape = (tubelet_size, patch_size, patch_size)
        grid = token_grid((num_frames, img_size, img_size), token_shape)
        super().__init__(
            img_size=img_size,
            patch_size=patch_size,
            in_channels=in_channels,
            embed_dims=width,
            depth=blocks,
            num_heads=heads,
            mlp_ratio=mlp_ratio,
            qkv_bias=qkv_bias,
            drop_rate=drop_rate,
            attn_drop_rate=attn_drop_rate,
            drop_path_rate=drop_path_rate,
            num_frames=num_frames,
            tubelet_size=tubelet_size,
            use_mean_pooling=use_mean_pooling,
            return_feat_map=return_feat_map,
            init_cfg=list(PRETRAIN_INIT) if init_cfg is None else init_cfg,
        )
        fuse_blocks(self.blocks)
        self.with_cp = with_cp
        self.frozen = frozen
        if frozen:
            self.requires_grad_(False)
        self.token_shape = token_shape
        self.grid = grid

    @property
    def num_tokens(self) -> int:
        """N, the tokens of a clip of the size it was built for."""
        return self.grid[0] * self.grid[1] * self.grid[2]

    def train(self, mode: bool = True) -> MaskedVisionTransformer:
        """Switch between training and evaluation; a frozen encoder always evaluates."""
        return super().train(mode and not self.frozen)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Encode a clip.

        Args:
            x: (B, C, T, H, W), normalised.
            visible: (B, V) int64 numbers of the tokens to see; all of them when None.

        Returns:
            With ``visible``: (B, V, C), one vector for each visible token, in its order. Without:
            what MMAction2's ``VisionTransformer`` returns, (B, C) or (B, C, t, h, w).

        Raises:
            ValueError: The clip does not fit the token grid, or ``visible`` is given to an encoder
                that closes with mean pooling.
        """
        grid = token_grid((x.shape[2], x.shape[3], x.shape[4]), self.token_shape)
        if visible is None:
            x = self._embed(patchify(x, self.token_shape)) + self._positions(grid)
        elif self.fc_norm is not None:
            raise ValueError(
                "an encoder that pools over all tokens cannot be pre-trained on some of them; "
                "set model.backbone.use_mean_pooling=False"
            )
        else:
            positions = self._positions(grid)[0][visible]
            x = self._embed(tokens_at(x, visible, self.token_shape)) + positions
        x = self.pos_drop(x)
        x = run_blocks(self.blocks, x, self.with_cp and not self.frozen)
        x = self.norm(x)
        if visible is not None:
            return x
        if self.return_feat_map:
            # [B, N, C] -> [B, C, t, h, w]
            return x.transpose(1, 2).reshape(len(x), self.embed_dims, *grid)
        return x[:, 0] if self.fc_norm is None else self.fc_norm(x.mean(1))

    def _embed(self, patches: Tensor) -> Tensor:
        """Project tokens with the weights of MMAction2's Conv3d: [B, V, P, C] -> [B, V, width]."""
        projection = self.patch_embed.projection
        # [B, V, P, C] -> [B, V, C*P], which copies nothing, and is the order of Conv3d's weights.
        pixels = patches.transpose(2, 3).flatten(2)
        return F.linear(pixels, projection.weight.flatten(1), projection.bias)

    def _positions(self, grid: Grid) -> Tensor:
        """Position table (1, N, C); resized in space, as MMAction2 does, for other frame sizes."""
        if grid == self.grid:
            return self.pos_embed
        if grid[0] != self.grid[0]:
            raise ValueError(
                f"a clip of {grid[0] * self.token_shape[0]} frames meets an encoder built for "
                f"{self.grid[0] * self.token_shape[0]}; make model.backbone.num_frames and the "
                "clip length of the pipeline agree"
            )
        # [1, N, C] -> [t, C, h, w], resized, and back
        table = self.pos_embed.reshape(*self.grid, self.embed_dims).permute(0, 3, 1, 2)
        table = F.interpolate(table, size=grid[1:], mode="bicubic", align_corners=False)
        return table.permute(0, 2, 3, 1).reshape(1, -1, self.embed_dims)
