"""VideoMAE pre-training restated from the paper and FACTS of the authors' settings: plain loops,
no shared code with the package, slow on purpose.

Weights come as a flat dict under MMAction2's names, so a wrong name is a KeyError here.
"""

import math

import torch


def sinusoid(num_tokens, width):
    """pos / 10000^(2 * (j // 2) / width); sine on even j, cosine on odd j."""
    table = torch.zeros(num_tokens, width, dtype=torch.float64)
    for position in range(num_tokens):
        for j in range(width):
            angle = position / 10000 ** (2 * (j // 2) / width)
            table[position, j] = math.sin(angle) if j % 2 == 0 else math.cos(angle)
    return table.float()


def cut(clip, token_shape):
    """(C, T, H, W) -> list over (t, h, w) of (C, dt, dh, dw) blocks."""
    dt, dh, dw = token_shape
    _, frames, height, width = clip.shape
    return [
        clip[:, t : t + dt, y : y + dh, x : x + dw]
        for t in range(0, frames, dt)
        for y in range(0, height, dh)
        for x in range(0, width, dw)
    ]


def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean(-1, keepdim=True)
    var = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(var + eps) * weight + bias


def attention(x, w, prefix, heads):
    """One sample, (N, C): explicit softmax, head by head."""
    width = x.shape[1] // heads
    q = x @ w[f"{prefix}.qkv.weight"][: x.shape[1]].T + w[f"{prefix}.q_bias"]
    k = x @ w[f"{prefix}.qkv.weight"][x.shape[1] : 2 * x.shape[1]].T
    v = x @ w[f"{prefix}.qkv.weight"][2 * x.shape[1] :].T + w[f"{prefix}.v_bias"]
    outs = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        scores = q[:, part] @ k[:, part].T / math.sqrt(width)
        outs.append(torch.softmax(scores, dim=-1) @ v[:, part])
    return torch.cat(outs, dim=1) @ w[f"{prefix}.proj.weight"].T + w[f"{prefix}.proj.bias"]


def block(x, w, prefix, heads):
    x = x + attention(
        layer_norm(x, w[f"{prefix}.norm1.weight"], w[f"{prefix}.norm1.bias"]),
        w, f"{prefix}.attn", heads,
    )  # fmt: skip
    y = layer_norm(x, w[f"{prefix}.norm2.weight"], w[f"{prefix}.norm2.bias"])
    y = y @ w[f"{prefix}.mlp.layers.0.0.weight"].T + w[f"{prefix}.mlp.layers.0.0.bias"]
    y = 0.5 * y * (1 + torch.erf(y / math.sqrt(2)))
    return x + y @ w[f"{prefix}.mlp.layers.1.weight"].T + w[f"{prefix}.mlp.layers.1.bias"]


def target(block_pixels):
    """(3, dt, dh, dw) in [0, 1] -> flat (dt, dh, dw, 3), each colour by its own statistics."""
    out = torch.empty_like(block_pixels)
    for colour in range(3):
        values = block_pixels[colour].flatten()
        mean = values.sum() / len(values)
        variance = ((values - mean) ** 2).sum() / (len(values) - 1)
        out[colour] = (block_pixels[colour] - mean) / (torch.sqrt(variance) + 1e-6)
    return out.permute(1, 2, 3, 0).flatten()


def running_cell(t, h, w, masked_places, start):
    """VideoMAE V2's decoder mask as a walk: a set of places of each 2 x 2 cell, row by row, that
    moves on by one in every time slot. Returns a nested list, True = masked.
    """
    out = []
    hidden = [(start + i) % 4 for i in range(masked_places)]
    for _ in range(t):
        out.append(
            [[2 * (row % 2) + column % 2 in hidden for column in range(w)] for row in range(h)]
        )
        hidden = [(place + 1) % 4 for place in hidden]
    return out


def pretrain(
    clip,
    pixels,
    mask,
    encoder,
    decoder,
    head,
    *,
    depth,
    heads,
    decoder_heads,
    token_shape,
    spared=None,
):
    """One sample.

    Args:
        clip: (3, T, H, W) normalised; pixels: the same in [0, 1]; mask: (N,) bool, True = masked.
        encoder, decoder, head: state dicts.
        spared: (N,) bool, masked tokens that the decoder neither sees nor is asked for.

    Returns:
        Predictions (K, values) of masked tokens in ascending order, and the loss.
    """
    blocks = cut(clip, token_shape)
    visible = [i for i in range(len(blocks)) if not mask[i]]
    masked = [i for i in range(len(blocks)) if mask[i] and not (spared is not None and spared[i])]
    kernel = encoder["patch_embed.projection.weight"]
    table = sinusoid(len(blocks), kernel.shape[0])
    x = torch.stack(
        [
            (kernel * blocks[i]).flatten(1).sum(1)
            + encoder["patch_embed.projection.bias"]
            + table[i]
            for i in visible
        ]
    )
    for i in range(depth):
        x = block(x, encoder, f"blocks.{i}", heads)
    x = layer_norm(x, encoder["norm.weight"], encoder["norm.bias"])

    x = x @ decoder["embed.weight"].T
    table = sinusoid(len(blocks), x.shape[1])
    seen = torch.stack([x[row] + table[i] for row, i in enumerate(visible)])
    asked = torch.stack([decoder["mask_token"][0, 0] + table[i] for i in masked])
    x = torch.cat([seen, asked])
    decoder_depth = 1 + max(int(k.split(".")[1]) for k in decoder if k.startswith("blocks."))
    for i in range(decoder_depth):
        x = block(x, decoder, f"blocks.{i}", decoder_heads)
    x = layer_norm(x[len(visible) :], decoder["norm.weight"], decoder["norm.bias"])
    prediction = x @ head["projection.weight"].T + head["projection.bias"]

    pixel_blocks = cut(pixels, token_shape)
    wanted = torch.stack([target(pixel_blocks[i]) for i in masked])
    return prediction, ((prediction - wanted) ** 2).mean()
