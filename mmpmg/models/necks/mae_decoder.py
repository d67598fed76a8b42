"""The light decoder that sees encoded visible tokens and guesses the masked ones."""

from __future__ import annotations

import torch
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from mmaction.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmpmg.models.attention import Block, fuse_blocks
from mmpmg.models.backbones.masked_vit import PRETRAIN_INIT
from mmpmg.models.block_stack import run_blocks


@MODELS.register_module()
class MAEDecoder(BaseModule):
    """VideoMAE's decoder (Sec. 3.2): a narrow ViT over [visible; masked] tokens.

    Args:
        in_channels: Width of the encoder; the pretrainer fills it in.
        num_tokens: N of the whole clip; the pretrainer fills it in.
        embed_dims: Width; VideoMAE uses 192, 384, 512 for ViT-S, B, L.
        depth: Number of blocks, >= 1; 4 in VideoMAE.
        num_heads: Attention heads; must divide ``embed_dims``.
        mlp_ratio: Hidden width of the MLP over the width.
        with_cp: Compute activations again in the backward pass, see `run_blocks`.
        init_cfg: MMEngine initialisers; VideoMAE's rule by default.

    Raises:
        ValueError: ``embed_dims`` is not a multiple of ``num_heads``, or ``depth`` below 1.
    """

    def __init__(
        self,
        in_channels: int,
        num_tokens: int,
        embed_dims: int = 384,
        depth: int = 4,
        num_heads: int = 6,
        mlp_ratio: float = 4.0,
        with_cp: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(list(PRETRAIN_INIT) if init_cfg is None else init_cfg)
        if embed_dims % num_heads:
            raise ValueError(
                f"embed_dims {embed_dims} is not a multiple of num_heads {num_heads}; mend the "
                "decoder's keys in model.branches.*.neck"
            )
        if depth < 1:
            raise ValueError(f"depth {depth} must be >= 1; mend model.branches.*.neck.depth")
        self.embed_dims = embed_dims
        self.with_cp = with_cp
        self.embed = nn.Linear(in_channels, embed_dims, bias=False)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        self.blocks = ModuleList(
            Block(embed_dims, num_heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        fuse_blocks(self.blocks)
        self.norm = nn.LayerNorm(embed_dims, eps=1e-6)
        # Not in the state dict: it follows from N and the width.
        positions = get_sinusoid_encoding(num_tokens, embed_dims)[0]
        self.register_buffer("positions", positions, persistent=False)

    def init_weights(self) -> None:
        """Initialise as VideoMAE does: Xavier for linear layers, a small normal mask token."""
        super().init_weights()
        nn.init.trunc_normal_(self.mask_token, std=0.02)

    def forward(self, encoded: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
        """Decode the masked tokens.

        Args:
            encoded: (B, V, in_channels), what the encoder says of the visible tokens.
            visible: (B, V) int64, their numbers.
            masked: (B, K) int64, the numbers of the masked tokens.

        Returns:
            (B, K, embed_dims): features of the masked tokens, in the order of ``masked``.
        """
        seen = self.embed(encoded) + self.positions[visible]
        asked = self.mask_token + self.positions[masked]
        x = torch.cat((seen, asked.to(seen.dtype)), dim=1)
        x = run_blocks(self.blocks[:-1], x, self.with_cp)
        # Nobody asks what the last block makes of the visible tokens.
        x = run_blocks(self.blocks[-1:], x, self.with_cp, visible.shape[1])
        return self.norm(x)
