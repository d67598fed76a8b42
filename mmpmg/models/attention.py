"""MMAction2's transformer block: attention fused, less kept, and queries of some tokens only."""

from __future__ import annotations

from mmaction.models.backbones.vit_mae import Attention, Block
from torch import Tensor, cat, nn, zeros_like
from torch.nn import functional as F

from mmpmg.models.recomputed_linear import gelu_linear, norm_linear


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
        return self.attend(F.linear(x, self.qkv.weight, self.qkv_bias()))

    def qkv_bias(self) -> Tensor | None:
        """Bias of the joint projection, (3 C,): the key has none."""
        if not hasattr(self, "q_bias"):
            return None
        return cat((self.q_bias, zeros_like(self.v_bias), self.v_bias))

    def attend(self, qkv: Tensor, query: Tensor | None = None) -> Tensor:
        """Attend with projections made elsewhere.

        Args:
            qkv: (B, N, 3 C) queries, keys and values; with ``query`` (B, N, 2 C) without queries.
            query: (B, M, C), of the tokens that ask.

        Returns:
            (B, N or M, C).
        """
        batch, tokens, _ = qkv.shape
        parts = 3 if query is None else 2
        # [B, N, parts*heads*d] -> parts x [B, heads, N, d]
        split = qkv.reshape(batch, tokens, parts, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        *first, key, value = split.unbind(0)
        if query is None:
            (asking,) = first
        else:
            asking = query.reshape(batch, query.shape[1], self.num_heads, -1).transpose(1, 2)
        dropout = self.attn_drop.p if self.training else 0.0
        out = F.scaled_dot_product_attention(
            asking, key, value, dropout_p=dropout, scale=self.scale
        )
        # [B, heads, M, d] -> [B, M, C]
        return self.proj_drop(self.proj(out.transpose(1, 2).flatten(2)))


class FusedBlock(Block):
    """MMAction2's ``Block`` with `FusedAttention`; norms, on a GPU GELU too, are computed again.

    Parameters, their names and the result are the parent's.
    """

    attn: FusedAttention

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """Update tokens.

        Args:
            x: (B, N, C).
            first: Number of the first token to update; those before it are looked at, and nothing
                is computed for them but keys and values.

        Returns:
            (B, N - first, C): what the whole block gives for these tokens.
        """
        weight, bias = self.attn.qkv.weight, self.attn.qkv_bias()
        if first:
            width = x.shape[2]
            normed = self.norm1(x)
            biases = (None, None) if bias is None else (bias[:width], bias[width:])
            query = F.linear(normed[:, first:], weight[:width], biases[0])
            attended = self.attn.attend(F.linear(normed, weight[width:], biases[1]), query)
            x = x[:, first:]
        else:
            attended = self.attn.attend(norm_linear(x, self.norm1, weight, bias))
        x = x + self.drop_path(self._scaled(attended, "gamma_1"))
        (widen, _, dropout), narrow, last_dropout = self.mlp.layers
        hidden = norm_linear(x, self.norm2, widen.weight, widen.bias)
        if dropout.p and self.training:
            out = narrow(dropout(F.gelu(hidden)))
        else:
            out = gelu_linear(hidden, narrow.weight, narrow.bias)
        return x + self.drop_path(self._scaled(last_dropout(out), "gamma_2"))

    def _scaled(self, x: Tensor, name: str) -> Tensor:
        """Times the layer scale, where the block has one."""
        scale = getattr(self, name, None)
        return x if scale is None else scale * x


def fuse_blocks(blocks: nn.ModuleList) -> None:
    """Make every MMAction2 block a :class:`FusedBlock` over the block's own parameters.

    Args:
        blocks: MMAction2 ``Block`` modules with GELU, changed in place.
    """
    for block in blocks:
        # Neither subclass has any state of its own.
        block.__class__, block.attn.__class__ = FusedBlock, FusedAttention


__all__ = ["Block", "FusedAttention", "FusedBlock", "fuse_blocks"]
