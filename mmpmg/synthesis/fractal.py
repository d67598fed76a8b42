"""FractalDB: fractals of random iterated function systems (Kataoka et al., ACCV 2020).

A category is a system of 2 to 7 affine maps with coefficients from U(-1, 1), drawn with
probabilities in proportion to their determinants, and kept if its points fill a fifth of the
picture. Its images vary one coefficient of all maps (25 weight variants), the 3 x 3 patch that a
point is drawn with (10 of them), and mirror the picture (4 flips).

Two things differ from the published program, both so that no image is blank: a weight variant
whose points run away or collapse is brought half-way back to the unweighted system until it does
not, and a horizontal or vertical line counts as nothing filled. Everything is computed with exact
operations, so an image is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from .fractal_drawing import COLORS, draw_patches, filled_rate
from .fractal_orbit import in_sequence, orbit
from .scratch import Scratch
from .uniform_stream import UniformStream

#: Coefficients' factors, one row a variant: none; then a, b, ..., f times .2, .6, 1.4 and 1.8.
WEIGHTS = np.ones((25, 6))
for _variant in range(1, 25):
    WEIGHTS[_variant, (_variant - 1) // 4] = (0.2, 0.6, 1.4, 1.8)[(_variant - 1) % 4]
WEIGHTS.flags.writeable = False

PATCHES = 10
FLIPS = 4

_FILLED, _SIDE, _POINTS = 0.2, 512, 100_000  # the rule of the search
# A short orbit tells most of what fails: points fill ever fewer new pixels, and of 407 systems that
# passed, out of 17,875, none had less than .93 of its first 8192 points in pixels of their own.
_SCREEN, _SCREEN_POINTS = 0.9, 8192
_SCRATCH = Scratch()
FEWEST_POINTS = 100  # points that show more than a line or a speck
_PROXY, _PROXY_FILLED, _RETREATS = 64, 0.15, 5


@dataclass(frozen=True)
class FractalVariant:
    """What tells an image from others of its category.

    The first 1000 instances are all combinations of 25 weights, 10 patches and 4 flips, each once,
    so ordered that a few instances differ in all three; later thousands repeat weights and flips
    with fresh patches.

    Args:
        weight: row of `WEIGHTS`.
        patch: number of the patch, from 0; a patch is drawn anew for every weight.
        flip: 0 none, 1 upside down, 2 left to right, 3 both.
    """

    weight: int
    patch: int
    flip: int

    @classmethod
    def of_instance(cls, instance: int) -> FractalVariant:
        """Return the variant of an instance, 0 or more."""
        # 25 and 4 have no common factor: 100 instances meet every pair of weight and flip.
        per_patch = len(WEIGHTS) * FLIPS
        block, patch = divmod(instance // per_patch, PATCHES)
        patch = (patch + instance % per_patch) % PATCHES + PATCHES * block
        return cls(instance % len(WEIGHTS), patch, instance % FLIPS)

    def pattern(self, seed: int, category: int) -> int:
        """Return which of the nine pixels shine, [1, 511]; see `draw_patches`."""
        return UniformStream(seed, category, self.weight, self.patch).whole(1, 511)


def fractal_image(
    seed: int,
    category: int,
    instance: int,
    size: int | tuple[int, int] = 362,
    color: str = "grey",
    points: int = 200_000,
) -> np.ndarray:
    """Make an image of FractalDB's kind.

    Args:
        seed: 0 or more; another seed gives other categories.
        category: 0 or more.
        instance: 0 or more; see `FractalVariant`.
        size: side, or (height, width), in pixels.
        color: ``"grey"`` (the published sets), ``"iteration"`` or ``"map"``; see `draw_patches`.
        points: how many are drawn, 100 or more; 200,000 belong to 362 x 362.

    Returns:
        (H, W, 3) uint8 RGB, a function of the arguments alone.

    Raises:
        ValueError: an argument is out of its range.
    """
    sides = (size, size) if isinstance(size, int) else (size[0], size[1])
    if min(sides) < 1:
        raise ValueError(f"size={size!r}: must be 1 or more")
    if points < FEWEST_POINTS:
        raise ValueError(f"points={points}: must be {FEWEST_POINTS} or more")
    if min(seed, category, instance) < 0:
        raise ValueError(f"{seed=}, {category=}, {instance=}: must be 0 or more")
    if color not in COLORS:
        raise ValueError(f"{color=}: must be one of {', '.join(COLORS)}")
    variant = FractalVariant.of_instance(instance)
    maps, thresholds = _weighted(seed, category, variant.weight)
    symbols = choose(thresholds, _dice(seed, points))
    x, y = orbit(maps, symbols, partial(_SCRATCH.take, "points"))
    image = draw_patches(x, y, symbols, variant.pattern(seed, category), sides, color)
    rows, columns = (slice(None, None, -1 if variant.flip & bit else 1) for bit in (1, 2))
    return np.ascontiguousarray(image[rows, columns])


@lru_cache(maxsize=65536)
def fractal_system(seed: int, category: int) -> tuple[np.ndarray, np.ndarray]:
    """Search the iterated function system of a category.

    Systems are drawn until one fills at least .2 of a 512 x 512 picture with 100,000 points.

    Args:
        seed: 0 or more.
        category: 0 or more; its search is its own, whatever other categories found.

    Returns:
        (N, 6) maps, 2 to 7 rows (a, b, c, d, e, f) as in `orbit`, and (N - 1,) thresholds that
        part [0, 1] in proportion to the maps' determinants |ad - bc|.
    """
    stream = UniformStream(seed, category)
    dice = _dice(seed, _POINTS)
    while True:
        maps = 2 * stream.take(stream.whole(2, 7), 6) - 1
        determinants = np.abs(maps[:, 0] * maps[:, 3] - maps[:, 1] * maps[:, 2])
        sums = np.cumsum(determinants)
        thresholds = sums[:-1] / sums[-1]
        pixels = _SIDE**2 * _rate(maps, thresholds, dice[:_SCREEN_POINTS], _SIDE)
        if pixels < _SCREEN * _SCREEN_POINTS:
            continue
        if _rate(maps, thresholds, dice, _SIDE) >= _FILLED:
            return maps, thresholds


def choose(thresholds: np.ndarray, dice: np.ndarray) -> np.ndarray:
    """Turn uniform numbers into symbols: how many thresholds each exceeds.

    Args:
        thresholds: (N - 1,) rising, in [0, 1].
        dice: (P,) uint16; k stands for (k + 1/2) / 65536.

    Returns:
        (P,) uint8 in [0, N).
    """
    symbols = np.zeros(len(dice), np.uint8)
    for threshold in np.minimum(np.floor(thresholds * 65536 + 0.5), 65535).astype(np.uint16):
        symbols += dice >= threshold
    return symbols


@lru_cache(maxsize=65536)
def _weighted(seed: int, category: int, weight: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a weight variant's maps, brought back if they are degenerate, and the thresholds."""
    maps, thresholds = fractal_system(seed, category)
    factors = WEIGHTS[weight]
    for _ in range(_RETREATS):
        rate = _rate(maps * factors, thresholds, _dice(seed, _POINTS)[:_SCREEN_POINTS], _PROXY)
        if rate >= _PROXY_FILLED:
            return maps * factors, thresholds
        factors = (factors + 1) / 2
    return maps, thresholds


def _rate(maps: np.ndarray, thresholds: np.ndarray, dice: np.ndarray, side: int) -> float:
    symbols = choose(thresholds, dice)
    with np.errstate(over="ignore", invalid="ignore"):
        x, y = orbit(maps, symbols, partial(_SCRATCH.take, "points"))
    return filled_rate(in_sequence(x, len(dice)), in_sequence(y, len(dice)), side)


@lru_cache(maxsize=4)
def _dice(seed: int, count: int) -> np.ndarray:
    """Return the uniform numbers that choose the maps: one sequence for all images of a seed.

    FractalDB's renderer also throws the same numbers for every image.
    """
    return (UniformStream(seed).take(count) * 65536).astype(np.uint16)
