"""VideoGPT's VQ-VAE from its checkpoint's names alone: layout, encoder, decoder, codebook update.

Written from the description of the layers (Yan et al. 2021, Sec. 3.1 and Appendix A), with loops.
"""

import math

import torch
from torch.nn import functional as F

EPS = 1e-5  # torch's batch norm


def layout(num_codes, code_dim, channels, layers):
    """Name -> shape of every tensor in a file of stride (2, 4, 4)."""
    half = channels // 2
    shapes = {
        "pre_vq_conv.conv.weight": (code_dim, channels, 1, 1, 1),
        "pre_vq_conv.conv.bias": (code_dim,),
        "post_vq_conv.conv.weight": (channels, code_dim, 1, 1, 1),
        "post_vq_conv.conv.bias": (channels,),
        "codebook.embeddings": (num_codes, code_dim),
        "codebook.N": (num_codes,),
        "codebook.z_avg": (num_codes, code_dim),
        "encoder.convs.0.conv.weight": (channels, 3, 4, 4, 4),
        "encoder.convs.1.conv.weight": (channels, channels, 4, 4, 4),
        "encoder.conv_last.conv.weight": (channels, channels, 3, 3, 3),
        "decoder.convts.0.convt.weight": (channels, channels, 4, 4, 4),
        "decoder.convts.1.convt.weight": (channels, 3, 4, 4, 4),
        "decoder.convts.0.convt.bias": (channels,),
        "decoder.convts.1.convt.bias": (3,),
    }
    for conv in ("convs.0", "convs.1", "conv_last"):
        shapes[f"encoder.{conv}.conv.bias"] = (channels,)

    def norm(name, width):
        for field in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{field}"] = (width,)
        shapes[f"{name}.num_batches_tracked"] = ()

    for side in ("encoder", "decoder"):
        for number in range(layers):
            block = f"{side}.res_stack.{number}.block"
            norm(f"{block}.0", channels)
            shapes[f"{block}.2.conv.weight"] = (half, channels, 3, 3, 3)
            norm(f"{block}.3", half)
            shapes[f"{block}.5.conv.weight"] = (channels, half, 1, 1, 1)
            norm(f"{block}.6", channels)
            for axis in "wht":
                for matrix in ("w_qs", "w_ks", "w_vs", "fc"):
                    shapes[f"{block}.8.attn_{axis}.{matrix}.weight"] = (channels, channels)
                shapes[f"{block}.8.attn_{axis}.fc.bias"] = (channels,)
        norm(f"{side}.res_stack.{layers}", channels)
    return shapes


def random_state(num_codes, code_dim, channels, layers, seed=0):
    """A file's ``state_dict`` of random numbers, in float64."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in layout(num_codes, code_dim, channels, layers).items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
            continue
        fan_in = max(1, math.prod(shape[1:]))
        value = torch.randn(shape, generator=generator, dtype=torch.float64) / fan_in**0.5
        state[name] = value.abs() + 0.5 if name.endswith("running_var") else value
    return state


def batch_norm(state, name, x):
    mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    scale = state[f"{name}.weight"] / (var + EPS).sqrt()
    shape = (1, -1, 1, 1, 1)
    return (x - mean.view(shape)) * scale.view(shape) + state[f"{name}.bias"].view(shape)


def line_attention(state, name, line, heads):
    """Attention among the places of one line (L, C), place by place."""
    q, k, v = (line @ state[f"{name}.{m}.weight"].T for m in ("w_qs", "w_ks", "w_vs"))
    length, width = line.shape
    step = width // heads
    out = torch.zeros_like(line)
    for head in range(heads):
        own = slice(head * step, (head + 1) * step)
        for place in range(length):
            scores = torch.stack([q[place, own] @ k[p, own] for p in range(length)]) / step**0.5
            share = scores.exp() / scores.exp().sum()
            out[place, own] = sum(share[p] * v[p, own] for p in range(length))
    return out @ state[f"{name}.fc.weight"].T + state[f"{name}.fc.bias"]


def axial(state, name, x, heads=2):
    """Sum of attentions along w, h and t: (B, C, t, h, w)."""
    batch, _, frames, rows, columns = x.shape
    out = torch.zeros_like(x)
    for b in range(batch):
        for i in range(frames):
            for j in range(rows):
                line = x[b, :, i, j, :].T
                out[b, :, i, j, :] += line_attention(state, f"{name}.attn_w", line, heads).T
        for i in range(frames):
            for k in range(columns):
                line = x[b, :, i, :, k].T
                out[b, :, i, :, k] += line_attention(state, f"{name}.attn_h", line, heads).T
        for j in range(rows):
            for k in range(columns):
                line = x[b, :, :, j, k].T
                out[b, :, :, j, k] += line_attention(state, f"{name}.attn_t", line, heads).T
    return out


def stack(state, name, x, layers):
    for number in range(layers):
        block = f"{name}.{number}.block"
        y = F.relu(batch_norm(state, f"{block}.0", x))
        y = F.conv3d(y, state[f"{block}.2.conv.weight"], padding=1)
        y = F.relu(batch_norm(state, f"{block}.3", y))
        y = F.conv3d(y, state[f"{block}.5.conv.weight"])
        x = x + axial(state, f"{block}.8", F.relu(batch_norm(state, f"{block}.6", y)))
    return F.relu(batch_norm(state, f"{name}.{layers}", x))


def encode(state, clip, layers):
    """Vectors (B, D, t, h, w) before the codebook, of a clip in [-.5, .5]."""

    def conv(name, x):
        return state[f"encoder.{name}.conv.weight"], state[f"encoder.{name}.conv.bias"]

    # Zeros to the left and right of each side: 1 and 1 where it is halved, else 2 and 1.
    x = F.relu(F.conv3d(F.pad(clip, (1, 1, 1, 1, 1, 1)), *conv("convs.0", clip), stride=2))
    x = F.pad(x, (1, 1, 1, 1, 2, 1))
    x = F.relu(F.conv3d(x, *conv("convs.1", x), stride=(1, 2, 2)))
    x = F.conv3d(x, *conv("conv_last", x), padding=1)
    x = stack(state, "encoder.res_stack", x, layers)
    return F.conv3d(x, state["pre_vq_conv.conv.weight"], state["pre_vq_conv.conv.bias"])


def decode(state, codes, layers):
    """Clip around 0 of codes (B, t, h, w)."""
    x = state["codebook.embeddings"][codes].permute(0, 4, 1, 2, 3)
    x = F.conv3d(x, state["post_vq_conv.conv.weight"], state["post_vq_conv.conv.bias"])
    x = stack(state, "decoder.res_stack", x, layers)

    def transposed(number, x, stride):
        weight = state[f"decoder.convts.{number}.convt.weight"]
        bias = state[f"decoder.convts.{number}.convt.bias"]
        # In full, and then cut: 3 places at either end, after as many zeros as in the encoder.
        pads = [pad for step in reversed(stride) for pad in ((1, 1) if step == 2 else (2, 1))]
        full = F.conv_transpose3d(F.pad(x, pads), weight, bias, stride=stride)
        return full[:, :, 3:-3, 3:-3, 3:-3]

    return transposed(1, F.relu(transposed(0, x, (2, 2, 2))), (1, 2, 2))


def nearest(vectors, codes):
    """Number of the nearest code of each vector, by looking at all of them."""
    found = []
    for vector in vectors:
        distances = [float(((vector - code) ** 2).sum()) for code in codes]
        found.append(distances.index(min(distances)))
    return found


def update(counts, sums, vectors, chosen, decay=0.99, eps=1e-7):
    """Counts, sums and codes after one step of the moving averages, vector by vector."""
    n, z = [0.0] * len(counts), [torch.zeros_like(sums[0]) for _ in counts]
    for vector, code in zip(vectors, chosen):
        n[code] += 1.0
        z[code] = z[code] + vector
    counts = [decay * old + (1 - decay) * new for old, new in zip(counts, n)]
    sums = [decay * old + (1 - decay) * new for old, new in zip(sums, z)]
    total = sum(counts)
    codes = [z / ((n + eps) / (total + len(counts) * eps) * total) for n, z in zip(counts, sums)]
    return counts, sums, codes
