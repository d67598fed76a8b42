"""Coordinate steps of a shader: maps of the plane that the picture is drawn through.

Every rule takes and returns horizontal and vertical coordinates, float32 arrays of one shape; the
picture reaches from -1 to 1 along its shorter side. Arithmetic as `exact_math` allows.
"""

from __future__ import annotations

import numpy as np

from .exact_math import angle as angle_of
from .exact_math import cosine, direction, sine
from .grammar import PHASE, SEED, TURNS, Vocabulary, linear, log, whole
from .noise import lookup, randoms, value_noise_pair

COORDINATES = Vocabulary()
Plane = tuple[np.ndarray, np.ndarray]


def turned(x: np.ndarray, y: np.ndarray, turns: float, scale: float = 1.0) -> Plane:
    """Rotate by ``turns`` of a circle and scale."""
    c, s = (value * scale for value in direction(turns))
    across, up = x * c, x * s
    across -= y * s
    up += y * c
    return across, up


@COORDINATES.rule(weight=2, angle=TURNS, scale=log(0.6, 2.0))
def turn(x: np.ndarray, y: np.ndarray, angle: float, scale: float) -> Plane:
    """Rotate and scale."""
    return turned(x, y, angle, scale)


@COORDINATES.rule(weight=1.5, dx=linear(-0.8, 0.8), dy=linear(-0.8, 0.8), shear=linear(-0.7, 0.7))
def shift(x: np.ndarray, y: np.ndarray, dx: float, dy: float, shear: float) -> Plane:
    """Move the centre and slant."""
    across = y * shear
    across += x
    across -= dx
    return across, y - dy


@COORDINATES.rule(weight=0.6, turns=whole(1, 3), depth=linear(0.4, 1.2))
def polar(x: np.ndarray, y: np.ndarray, turns: int, depth: float) -> Plane:
    """Bend a strip into a ring: distance and angle become the coordinates."""
    radius = x * x
    radius += y * y
    np.sqrt(radius, out=radius)
    radius *= 2 * depth
    around = angle_of(x, y)
    around *= 4 * turns
    return radius, around


@COORDINATES.rule(weight=1.6, arms=whole(3, 8), angle=TURNS)
def kaleidoscope(x: np.ndarray, y: np.ndarray, arms: int, angle: float) -> Plane:
    """Fold the plane into one sector and its mirror image."""
    radius = x * x
    radius += y * y
    np.sqrt(radius, out=radius)
    theta = angle_of(x, y)
    theta += angle
    theta *= arms
    theta -= np.rint(theta)
    np.abs(theta, out=theta)
    theta *= 1 / arms
    across, up = cosine(theta), sine(theta)
    across *= radius
    up *= radius
    return across, up


@COORDINATES.rule(weight=1.5, nx=linear(1.0, 3.5), ny=linear(1.0, 3.5))
def repeat(x: np.ndarray, y: np.ndarray, nx: float, ny: float) -> Plane:
    """Tile the plane, every other tile mirrored."""
    folded = []
    for axis, number in ((x, nx), (y, ny)):
        f = axis * (number / 2)
        f -= np.rint(f)
        np.abs(f, out=f)
        f *= 4
        f -= 1
        folded.append(f)
    return folded[0], folded[1]


@COORDINATES.rule(weight=1, n=linear(1.2, 4.0), amount=linear(0.5, 3.0), seed=SEED)
def shuffle(x: np.ndarray, y: np.ndarray, n: float, amount: float, seed: int) -> Plane:
    """Cut the plane into tiles and look through each at another place."""
    ix, iy = np.floor(x * n).astype(np.int32), np.floor(y * n).astype(np.int32)
    where = lookup(ix, iy, seed)
    across, up = randoms(where, 0), randoms(where, 1)
    across *= amount
    up *= amount
    across += x
    up += y
    return across, up


@COORDINATES.rule(weight=2.2, amount=log(0.08, 0.6), scale=log(1.0, 4.0), seed=SEED)
def warp(x: np.ndarray, y: np.ndarray, amount: float, scale: float, seed: int) -> Plane:
    """Push every point about by smooth noise (domain warping)."""
    across, up = value_noise_pair(x * scale, y * scale, seed)
    across *= amount
    up *= amount
    across += x
    up += y
    return across, up


@COORDINATES.rule(weight=1.2, amount=linear(0.08, 0.4), frequency=linear(0.3, 1.0), phase=PHASE)
def ripple(x: np.ndarray, y: np.ndarray, amount: float, frequency: float, phase: float) -> Plane:
    """Bend by sines, each axis by the other."""
    bent = y * frequency
    bent += phase
    across = sine(bent)
    across *= amount
    across += x
    up = sine(across * frequency)
    up *= amount
    up += y
    return across, up


@COORDINATES.rule(weight=1, amount=linear(-2.5, 2.5), reach=log(0.5, 2.0))
def swirl(x: np.ndarray, y: np.ndarray, amount: float, reach: float) -> Plane:
    """Rotate the more the nearer to the centre, by the half-angle formula."""
    # With h the tangent of half the angle, cosine and sine are (1 - h²) and 2 h over (1 + h²).
    h = x * x
    h += y * y
    h *= reach
    h += 1
    np.divide(amount, h, out=h)
    square = h * h
    scale = 1 / (1 + square)
    c = 1 - square
    c *= scale
    s = h * 2
    s *= scale
    across, up = x * c, x * s
    across -= y * s
    up += y * c
    return across, up


@COORDINATES.rule(weight=0.8, strength=linear(0.3, 1.0), core=log(0.06, 0.3))
def invert(x: np.ndarray, y: np.ndarray, strength: float, core: float) -> Plane:
    """Turn the plane inside out at the unit circle, wholly or in part."""
    factor = x * x
    factor += y * y
    factor += core
    np.divide(strength, factor, out=factor)
    factor += 1 - strength
    return x * factor, y * factor


@COORDINATES.rule(weight=1.2, folds=whole(1, 3), angle=TURNS, offset=linear(0.2, 0.7))
def fold(x: np.ndarray, y: np.ndarray, folds: int, angle: float, offset: float) -> Plane:
    """Fold about both axes, move and rotate, several times."""
    for _ in range(folds):
        ax, ay = np.abs(x), np.abs(y)
        ax -= offset
        ay -= offset
        x, y = turned(ax, ay, angle, 1.3)
    return x, y


@COORDINATES.rule(weight=0.7, bulge=linear(-0.35, 0.6))
def lens(x: np.ndarray, y: np.ndarray, bulge: float) -> Plane:
    """Look through a lens: barrel or pincushion."""
    factor = x * x
    factor += y * y
    factor *= bulge
    factor += 1
    return x * factor, y * factor


@COORDINATES.rule(weight=0.7, bands=linear(1.5, 6.0), amount=linear(0.2, 1.0), seed=SEED)
def slip(x: np.ndarray, y: np.ndarray, bands: float, amount: float, seed: int) -> Plane:
    """Cut into bands that slip against each other."""
    row = np.floor(y * bands).astype(np.int32)
    across = randoms(lookup(row * 7, row, seed))
    across *= amount
    across += x
    return across, y


@COORDINATES.rule(weight=0.7, amount=linear(0.1, 0.5))
def square(x: np.ndarray, y: np.ndarray, amount: float) -> Plane:
    """Map z to a mixture of z and z²: two centres, angles kept."""
    across = x * x
    across -= y * y
    up = x * y
    across *= amount * 2
    up *= amount * 4
    across += x
    up += y
    return across, up
