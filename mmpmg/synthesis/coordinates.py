"""Coordinate steps of a shader: maps of the plane that the picture is drawn through.

Every rule takes and returns horizontal and vertical coordinates, float32 arrays of one shape; the
picture reaches from -1 to 1 along its shorter side.
"""

from __future__ import annotations

import numpy as np

from .grammar import SEED, Vocabulary, linear, log, whole
from .noise import gradient_noise, lattice_hash

COORDINATES = Vocabulary()
Plane = tuple[np.ndarray, np.ndarray]
_TINY = np.float32(1e-3)


@COORDINATES.rule(weight=2, angle=linear(0, 2 * np.pi), scale=log(0.6, 2.0))
def turn(x: np.ndarray, y: np.ndarray, angle: float, scale: float) -> Plane:
    """Rotate and scale."""
    c, s = np.float32(np.cos(angle) * scale), np.float32(np.sin(angle) * scale)
    return c * x - s * y, s * x + c * y


@COORDINATES.rule(weight=1.5, dx=linear(-0.8, 0.8), dy=linear(-0.8, 0.8), shear=linear(-0.7, 0.7))
def shift(x: np.ndarray, y: np.ndarray, dx: float, dy: float, shear: float) -> Plane:
    """Move the centre and slant."""
    return x + np.float32(shear) * y - np.float32(dx), y - np.float32(dy)


@COORDINATES.rule(weight=1, turns=whole(1, 4), depth=linear(0.3, 1.2))
def tunnel(x: np.ndarray, y: np.ndarray, turns: int, depth: float) -> Plane:
    """Look down a tunnel: depth and angle become the coordinates."""
    radius = np.sqrt(x * x + y * y) + np.float32(0.08)
    return np.float32(depth) / radius, np.arctan2(y, x) * np.float32(turns / np.pi)


@COORDINATES.rule(weight=1, horizon=linear(0.05, 0.5))
def floor(x: np.ndarray, y: np.ndarray, horizon: float) -> Plane:
    """Look along a floor and a ceiling that meet at the horizon."""
    height = np.abs(y) + np.float32(horizon)
    return x / height, np.float32(1) / height * np.sign(y + _TINY)


@COORDINATES.rule(weight=2, arms=whole(3, 10), angle=linear(0, 2 * np.pi))
def kaleidoscope(x: np.ndarray, y: np.ndarray, arms: int, angle: float) -> Plane:
    """Fold the plane into one sector and its mirror image."""
    sector = np.float32(2 * np.pi / arms)
    theta = np.arctan2(y, x) + np.float32(angle)
    theta = np.abs(theta - sector * np.round(theta / sector))
    radius = np.sqrt(x * x + y * y)
    return radius * np.cos(theta), radius * np.sin(theta)


@COORDINATES.rule(weight=1.5, nx=linear(1.0, 3.5), ny=linear(1.0, 3.5))
def repeat(x: np.ndarray, y: np.ndarray, nx: float, ny: float) -> Plane:
    """Tile the plane, every other tile mirrored."""
    fx, fy = x * np.float32(nx / 2), y * np.float32(ny / 2)
    return 4 * np.abs(fx - np.round(fx)) - 1, 4 * np.abs(fy - np.round(fy)) - 1


@COORDINATES.rule(weight=1, n=linear(1.2, 4.0), seed=SEED)
def shuffle(x: np.ndarray, y: np.ndarray, n: float, seed: int) -> Plane:
    """Cut the plane into tiles and look through each at another place."""
    fx, fy = np.floor(x * np.float32(n)), np.floor(y * np.float32(n))
    ix, iy = fx.astype(np.int32), fy.astype(np.int32)
    return x + 3 * lattice_hash(ix, iy, seed), y + 3 * lattice_hash(ix, iy, seed + 1)


@COORDINATES.rule(weight=2.5, amount=log(0.08, 0.6), scale=log(1.0, 4.0), seed=SEED)
def warp(x: np.ndarray, y: np.ndarray, amount: float, scale: float, seed: int) -> Plane:
    """Push every point about by smooth noise (domain warping)."""
    s, a = np.float32(scale), np.float32(amount)
    return (
        x + a * gradient_noise(s * x, s * y, seed),
        y + a * gradient_noise(s * x, s * y, seed + 1),
    )


@COORDINATES.rule(weight=1, amount=linear(0.1, 0.5), frequency=linear(1.5, 6.0), phase=linear(0, 6))
def ripple(x: np.ndarray, y: np.ndarray, amount: float, frequency: float, phase: float) -> Plane:
    """Bend by sines, each axis by the other."""
    a, f = np.float32(amount), np.float32(frequency)
    x = x + a * np.sin(f * y + np.float32(phase))
    return x, y + a * np.sin(f * x)


@COORDINATES.rule(weight=1, amount=linear(-3.0, 3.0))
def swirl(x: np.ndarray, y: np.ndarray, amount: float) -> Plane:
    """Rotate the more the nearer to the centre."""
    angle = np.float32(amount) * np.exp(-(x * x + y * y))
    c, s = np.cos(angle), np.sin(angle)
    return c * x - s * y, s * x + c * y


@COORDINATES.rule(weight=0.8, power=linear(0.3, 1.0))
def invert(x: np.ndarray, y: np.ndarray, power: float) -> Plane:
    """Turn the plane inside out at the unit circle."""
    factor = (x * x + y * y + np.float32(0.05)) ** np.float32(-power)
    return x * factor, y * factor


@COORDINATES.rule(weight=1.2, folds=whole(1, 3), angle=linear(0, np.pi), offset=linear(0.2, 0.7))
def fold(x: np.ndarray, y: np.ndarray, folds: int, angle: float, offset: float) -> Plane:
    """Fold about both axes, move and rotate, several times."""
    c, s, o = np.float32(np.cos(angle)), np.float32(np.sin(angle)), np.float32(offset)
    for _ in range(folds):
        x, y = np.abs(x) - o, np.abs(y) - o
        x, y = np.float32(1.3) * (c * x - s * y), np.float32(1.3) * (s * x + c * y)
    return x, y


@COORDINATES.rule(weight=0.6, radius=linear(0.5, 0.9), dx=linear(-0.4, 0.4), dy=linear(-0.4, 0.4))
def ball(x: np.ndarray, y: np.ndarray, radius: float, dx: float, dy: float) -> Plane:
    """Wrap the picture round a ball that hangs before it."""
    r = np.float32(radius)
    px, py = (x - np.float32(dx)) / r, (y - np.float32(dy)) / r
    z = np.sqrt(np.maximum(1 - px * px - py * py, 0))
    inside = z > 0
    z = np.where(inside, z + np.float32(0.15), 1)
    return np.where(inside, px / z, x), np.where(inside, py / z, y)
