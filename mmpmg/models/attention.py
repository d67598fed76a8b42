"""MMAction2's transformer block with fused attention in place of the explicit one."""

from __future__ import annotations

from mmaction.models.backbones.vit_mae import Attention, Block
from torch import Tensor, cat, nn, zeros_like
from torch.nn import functional as F


class FusedAttention(Attention):
    """MMAction2's VideoMAE attention, computed by ``scaled_dot_product_attention``.

    Parameters, their names and the result are the parent's; the (N, N) matrix of weights is never
    stored.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Attend from every token to every token.

        Args:
            x: (B, N, C).

        Returns:
            (B, N, C).
        """
        batch, tokens, channels = x.shape
        bias = None
        if hasattr(self, "q_bias"):
            bias = cat((self.q_bias, zeros_like(self.v_bias), self.v_bias))
        qkv = F.linear(x, self.qkv.weight, bias)
        # [B, N, 3*heads*d] -> 3 x [B, heads, N, d]
        qkv = qkv.reshape(batch, tokens, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        dropout = self.attn_drop.p if self.training else 0.0
        out = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, scale=self.scale)
        # [B, heads, N, d] -> [B, N, C]
        out = out.transpose(1, 2).reshape(batch, tokens, channels)
        return self.proj_drop(self.proj(out))


def fuse_attention(blocks: nn.ModuleList) -> None:
    """Give every MMAction2 block a :class:`FusedAttention` over the block's own parameters.

    Args:
        blocks: MMAction2 ``Block`` modules, changed in place.
    """
    for block in blocks:
        explicit = block.attn
        fused = FusedAttention(
            explicit.embed_dims,
            num_heads=explicit.num_heads,
            qkv_bias=hasattr(explicit, "q_bias"),
            qk_scale=explicit.scale,
            attn_drop_rate=explicit.attn_drop.p,
            drop_rate=explicit.proj_drop.p,
        )
        fused.load_state_dict(explicit.state_dict())
        block.attn = fused


__all__ = ["Block", "FusedAttention", "fuse_attention"]
