"""FractalDB as its paper and program describe it, point by point."""

from __future__ import annotations

import numpy as np


def visit(maps, symbols) -> tuple[list[float], list[float]]:
    """Follow the maps from the origin; P symbols give P points, the origin first."""
    xs, ys = [0.0], [0.0]
    for symbol in symbols[:-1]:
        a, b, c, d, e, f = (float(v) for v in maps[symbol])
        x, y = xs[-1], ys[-1]
        xs.append(a * x + b * y + e)
        ys.append(c * x + d * y + f)
    return xs, ys


def throw(maps, dice) -> list[int]:
    """Choose maps in proportion to |ad - bc| by uniform numbers."""
    determinants = [abs(a * d - b * c) for a, b, c, d, _, _ in maps.tolist()]
    total = sum(determinants)
    symbols = []
    for die in dice:
        so_far = 0.0
        for symbol, determinant in enumerate(determinants):
            so_far += determinant / total
            if die <= so_far or symbol == len(determinants) - 1:
                symbols.append(symbol)
                break
    return symbols


def to_pixels(values, side: int) -> list[int]:
    """Scale to the side less 6 pixels at either end, cut to whole pixels."""
    low, high = min(values), max(values)
    return [int((v - low) / (high - low) * (side - 12) + 6) for v in values]


def filled_share(xs, ys, side: int = 512) -> float:
    """Share of pixels with a point."""
    return len(set(zip(to_pixels(xs, side), to_pixels(ys, side)))) / side**2


def paste_patches(xs, ys, patch: int, size: tuple[int, int]) -> np.ndarray:
    """Paste the 3 x 3 patch one pixel right of and below every point, then turn upside down."""
    height, width = size
    bits = [int(bit) for bit in f"{patch:09b}"]
    picture = np.zeros((height, width, 3), np.uint8)
    for x, y in zip(to_pixels(xs, width), to_pixels(ys, height)):
        for row in range(3):
            for column in range(3):
                if y + 1 + row < height and x + 1 + column < width:
                    picture[y + 1 + row, x + 1 + column] = 127 * bits[3 * row + column]
    return picture[::-1]


def weight_variants() -> list[list[float]]:
    """List the 25 factors of (a, b, c, d, e, f), in any order."""
    variants = [[1.0] * 6]
    for parameter in range(6):
        for step in (-2, -1, 1, 2):
            factors = [1.0] * 6
            factors[parameter] += 0.4 * step
            variants.append(factors)
    return variants
