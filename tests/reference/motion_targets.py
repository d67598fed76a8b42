"""MotionMAE's motion targets restated value by value: plain loops, no code of the package."""

import math

import torch


def temporal_difference(pixels, granularity, signed, clip_end):
    """(3, T, H, W) in [0, 1] -> the same shape, NaN where nothing is known."""
    colours, frames, height, width = pixels.shape
    out = torch.full_like(pixels, math.nan)
    for c in range(colours):
        for k in range(frames):
            if k + granularity < frames:
                before, after = k, k + granularity
            elif clip_end == "earlier":
                before, after = k - granularity, k
            else:
                if clip_end == "zero":
                    out[c, k] = 0
                continue
            for y in range(height):
                for x in range(width):
                    change = pixels[c, after, y, x] - pixels[c, before, y, x]
                    out[c, k, y, x] = change if signed else abs(change)
    return out


def flow_field(flow, covisible, sides, cell, unseen, clip_end):
    """(T-1, H, W, 2) and (T-1, H, W) -> (2, T, H / cell, W / cell), NaN where nothing is known.

    Args:
        sides: (width, height) that count as one.
    """
    pairs, height, width, _ = flow.shape
    out = torch.full((2, pairs + 1, height // cell, width // cell), math.nan)
    for k in range(pairs + 1):
        if k == pairs and clip_end == "leave_out":
            continue
        source = k - 1 if k == pairs else k
        for row in range(height // cell):
            for column in range(width // cell):
                found = [
                    flow[source, y, x]
                    for y in range(row * cell, (row + 1) * cell)
                    for x in range(column * cell, (column + 1) * cell)
                    if unseen == "keep" or covisible[source, y, x]
                ]
                for axis in range(2):
                    if k == pairs and clip_end == "zero":
                        out[axis, k, row, column] = 0
                    elif found:
                        total = sum(float(values[axis]) for values in found)
                        out[axis, k, row, column] = total / len(found) / sides[axis]
    return out


def token_values(block, normalize, eps=1e-6):
    """(C, dt, dh, dw) -> flat (dt, dh, dw, C), each channel by the statistics of what is known."""
    out = block.clone()
    for channel in range(len(block)):
        known = [float(v) for v in block[channel].flatten() if not math.isnan(v)]
        if not normalize or not known:
            continue
        mean = sum(known) / len(known)
        variance = sum((v - mean) ** 2 for v in known) / max(1, len(known) - 1)
        out[channel] = (block[channel] - mean) / (math.sqrt(variance) + eps)
    return out.permute(1, 2, 3, 0).flatten()


def masked_loss(prediction, target, kind):
    """Mean over all values of what is known: what is not counts as met."""
    total = 0.0
    pairs = list(zip(prediction.flatten().tolist(), target.flatten().tolist()))
    for ours, wanted in pairs:
        if math.isnan(wanted):
            continue
        off = abs(ours - wanted)
        if kind == "mse":
            total += off * off
        elif kind == "l1":
            total += off
        else:
            total += off * off / 2 if off < 1 else off - 0.5
    return total / len(pairs)
