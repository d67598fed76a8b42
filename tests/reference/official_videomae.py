"""The authors' VideoMAE restated as modules that bear its names, from the published key layout.

Nothing of the package is used here; attention is written out, and positions are computed.
"""

import torch
from torch import nn
from torch.nn import functional as F


def sinusoid(tokens, width):
    """sin on even, cos on odd places of position / 10000^(2 (j // 2) / width)."""
    j = torch.arange(width, dtype=torch.float64)
    angle = torch.arange(tokens, dtype=torch.float64)[:, None] / 10000 ** (2 * (j // 2) / width)
    return torch.where(j % 2 == 0, angle.sin(), angle.cos()).float()[None]


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        parts = []
        for weight, bias in zip(self.qkv.weight.chunk(3), (self.q_bias, None, self.v_bias)):
            parts.append(F.linear(x, weight, bias).unflatten(2, (self.heads, -1)).transpose(1, 2))
        q, k, v = parts
        share = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).softmax(-1)
        return self.proj((share @ v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.attn = Attention(width, heads)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm2(x))))


class Trunk(nn.Module):
    """Embedding and blocks; ``pool`` closes with ``fc_norm`` and ``head``, else with ``norm``."""

    def __init__(self, width, depth, heads, token, classes=None):
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv3d(3, width, token, token)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        if classes is None:
            self.norm = nn.LayerNorm(width, 1e-6)
        else:
            self.fc_norm = nn.LayerNorm(width, 1e-6)
            self.head = nn.Linear(width, classes)

    def embed(self, clip):
        x = self.patch_embed.proj(clip).flatten(2).transpose(1, 2)
        return x + sinusoid(x.shape[1], x.shape[2])

    def forward(self, clip, mask=None):
        x = self.embed(clip)
        if mask is not None:
            x = x[~mask].reshape(len(x), -1, x.shape[2])
        for block in self.blocks:
            x = block(x)
        return self.norm(x) if hasattr(self, "norm") else self.head(self.fc_norm(x.mean(1)))


class Pretraining(nn.Module):
    def __init__(self, width, depth, heads, token, narrow, narrow_depth, narrow_heads):
        super().__init__()
        self.encoder = Trunk(width, depth, heads, token)
        self.encoder_to_decoder = nn.Linear(width, narrow, bias=False)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, narrow))
        self.decoder = nn.Module()
        self.decoder.blocks = nn.ModuleList(
            Block(narrow, narrow_heads) for _ in range(narrow_depth)
        )
        self.decoder.norm = nn.LayerNorm(narrow, 1e-6)
        self.decoder.head = nn.Linear(narrow, 3 * token[0] * token[1] * token[2])

    def forward(self, clip, mask):
        seen = self.encoder_to_decoder(self.encoder(clip, mask))
        batch, tokens = mask.shape
        places = sinusoid(tokens, seen.shape[2]).expand(batch, -1, -1)
        asked = self.mask_token + places[mask].reshape(batch, -1, seen.shape[2])
        x = torch.cat((seen + places[~mask].reshape(seen.shape), asked), 1)
        for block in self.decoder.blocks:
            x = block(x)
        return self.decoder.head(self.decoder.norm(x[:, seen.shape[1] :]))
