"""Surfaces of a shader: simple bodies in space that a layer is painted on, with their shading.

Every rule takes horizontal and vertical coordinates (float32 arrays of one shape) and returns the
coordinates on the surface and the light that falls there, mostly in [0, 1.2]. Arithmetic as
`exact_math` allows.
"""

from __future__ import annotations

import math

import numpy as np

from .coordinates import turned
from .exact_math import angle as angle_of
from .exact_math import direction, sine
from .grammar import PHASE, SEED, TURNS, Vocabulary, linear, log, whole
from .noise import cells, lookup, randoms
from .random_stream import RandomStream

SURFACES = Vocabulary()
Surface = tuple[np.ndarray, np.ndarray, np.ndarray]


@SURFACES.rule(weight=1, width=log(0.5, 1.6), height=log(0.4, 1.0), fog=log(0.1, 0.5), time=PHASE)
def corridor(
    x: np.ndarray, y: np.ndarray, width: float, height: float, fog: float, time: float
) -> Surface:
    """Look along a corridor: floor, ceiling and walls recede to the vanishing point."""
    # Each ray (x, y, 1) meets the nearer of wall and floor at depth t.
    wall = np.abs(x)
    wall += 1e-3
    np.divide(width, wall, out=wall)
    floor = np.abs(y)
    floor += 1e-3
    np.divide(height, floor, out=floor)
    t = np.minimum(wall, floor)
    np.minimum(t, 60, out=t)
    on_wall = wall < floor
    across = np.where(on_wall, y, x)
    across *= t
    light = t * fog
    light += 0.9
    light += on_wall * np.float32(0.35)
    np.divide(1.15, light, out=light)
    t += 8 * time
    across += on_wall * np.float32(5.3)
    return across, t, light


@SURFACES.rule(weight=1, horizon=linear(-0.3, 0.4), height=log(0.25, 0.8), sky=whole(0, 1))
def ground(x: np.ndarray, y: np.ndarray, horizon: float, height: float, sky: int) -> Surface:
    """Look over a plain to the horizon, with a sky or a second plain above."""
    below = y - horizon
    depth = np.abs(below)
    depth += 0.02
    light = depth * 1.6
    light += 0.35
    np.minimum(light, 1.1, out=light)
    np.divide(height, depth, out=depth)
    across = x * depth
    if sky:
        above = below < 0
        np.copyto(across, x, where=above)
        np.copyto(depth, y, where=above)
        np.copyto(light, 0.95, where=above)
    return across, depth, light


@SURFACES.rule(
    weight=0.9, around=whole(1, 3), depth=log(0.3, 1.0), bend=linear(0, 0.35), time=PHASE
)
def pipe(
    x: np.ndarray, y: np.ndarray, around: int, depth: float, bend: float, time: float
) -> Surface:
    """Look down a winding tunnel."""
    radius = x * x
    radius += y * y
    np.sqrt(radius, out=radius)
    radius += 0.06
    t = depth / radius
    # What is farther down the tunnel is seen farther aside.
    aside = t - 1
    np.minimum(aside, 3, out=aside)
    aside *= bend * 0.2
    turn_ = angle_of(x - aside, y)
    turn_ *= 4 * around
    light = np.minimum(radius, 0.8)
    light *= 1.1
    light += 0.25
    t *= 2
    t += 6 * time
    return turn_, t, light


@SURFACES.rule(weight=1.3, count=whole(3, 7), size=log(0.22, 0.55), lamp=TURNS, seed=SEED)
def balls(x: np.ndarray, y: np.ndarray, count: int, size: float, lamp: float, seed: int) -> Surface:
    """Hang shaded balls before the picture."""
    stream = RandomStream(seed)
    lx, ly = direction(lamp)
    across, up, light = x.copy(), y.copy(), np.full_like(x, 0.7)
    for number in range(count):
        cx, cy = stream.uniform(-1, 1), stream.uniform(-1, 1)
        radius = size * stream.uniform(0.5, 1.1) * (1 + 0.12 * number)
        px, py = x * (1 / radius), y * (1 / radius)
        px -= cx / radius
        py -= cy / radius
        z = px * px
        z += py * py
        np.subtract(1, z, out=z)
        inside = z > 0
        np.maximum(z, 0, out=z)
        np.sqrt(z, out=z)
        shade = px * (0.6 * lx)
        shade += py * (0.6 * ly)
        shade += z * 0.7
        shade += 0.12
        np.maximum(shade, 0.08, out=shade)
        np.copyto(light, shade, where=inside)
        z += 0.35
        px /= z
        py /= z
        px += 3.7 * number
        np.copyto(across, px, where=inside)
        np.copyto(up, py, where=inside)
    return across, up, light


@SURFACES.rule(weight=1, frequency=log(1.2, 4.0), sink=linear(0.0, 0.6), lamp=TURNS, seed=SEED)
def studs(
    x: np.ndarray, y: np.ndarray, frequency: float, sink: float, lamp: float, seed: int
) -> Surface:
    """Cover the plane with half balls of random size, one to a tile."""
    ix, iy, u, v = cells(x * frequency, y * frequency)
    size = randoms(lookup(ix, iy, seed))
    size *= 0.28
    size += 0.2
    u -= 0.5
    v -= 0.5
    u /= size
    v /= size
    z = u * u
    z += v * v
    np.subtract(1, z, out=z)
    inside = z > 0
    np.maximum(z, 0, out=z)
    np.sqrt(z, out=z)
    lx, ly = direction(lamp)
    light = u * (0.55 * lx)
    light += v * (0.55 * ly)
    light += z * 0.75
    light += 0.15
    np.copyto(light, 0.75 - 0.5 * sink, where=~inside)
    z *= 0.5
    across = x + z * u
    up = y + z * v
    return across, up, light


@SURFACES.rule(weight=1.1, frequency=log(1.0, 3.5), lamp=whole(0, 5))
def cubes(x: np.ndarray, y: np.ndarray, frequency: float, lamp: int) -> Surface:
    """Stack cubes, seen along their diagonal: three faces of three brightnesses."""
    # Lines p, q, r at 120 degrees cut the plane into triangles; two that share the side which is
    # the short diagonal of a face make that face (one of three kinds, named after the diagonal).
    p = y * frequency
    half = p * 0.5
    slant = x * (math.sqrt(3) / 2 * frequency)
    q = slant - half
    r = -half
    r -= slant
    fp, fq = np.floor(p), np.floor(q)
    kind = fp - fq
    total = fp
    total += fq
    total += np.floor(r)  # -1 in triangles that point up, -2 in the others
    total *= 2
    total += 3
    kind *= total
    kind *= 1 / 3
    kind -= np.floor(kind)
    kind *= 3
    on_q, on_p = np.abs(kind - 1) < 0.5, kind > 1.5
    brightness = [(0.45, 0.75, 1.08)[(lamp + face) % 3] for face in range(3)]
    light = np.full_like(x, brightness[0])
    np.copyto(light, brightness[1], where=on_q)
    np.copyto(light, brightness[2], where=on_p)
    across, up = p.copy(), q.copy()
    np.copyto(across, r, where=on_q)
    np.copyto(up, p, where=on_q)
    np.copyto(across, q, where=on_p)
    np.copyto(up, r, where=on_p)
    return across, up, light


@SURFACES.rule(weight=0.9, frequency=log(1.0, 4.0), lean=linear(-0.4, 0.4), angle=TURNS)
def columns(x: np.ndarray, y: np.ndarray, frequency: float, lean: float, angle: float) -> Surface:
    """Set round columns side by side."""
    x, y = turned(x, y, angle)
    u = x * frequency
    number = np.rint(u)
    u -= number
    u *= 2
    z = u * u
    np.subtract(1, z, out=z)
    np.maximum(z, 0, out=z)
    np.sqrt(z, out=z)
    light = u * lean
    light += z * 0.85
    light += 0.15
    np.maximum(light, 0.05, out=light)
    z += 0.4
    u /= z
    number *= 2.39
    u += number
    return u, y + number, light


@SURFACES.rule(weight=1.1, count=whole(3, 5), rough=log(0.15, 0.5), seed=SEED, time=PHASE)
def hills(
    x: np.ndarray, y: np.ndarray, count: int, rough: float, seed: int, time: float
) -> Surface:
    """Set ranges of hills one behind another, the farther the brighter, below a sky."""
    stream = RandomStream(seed)
    across, up, light = x.copy(), y.copy(), np.full_like(x, 1.1)
    for number in range(count):
        near = (number + 1) / count
        crest = np.full_like(x, 0.55 - 1.2 * near)
        for frequency, height in ((0.35, 1.0), (0.73, 0.62), (1.55, 0.38)):
            wave = x * (frequency * stream.uniform(0.7, 1.3))
            wave += stream.unit() + time * near * 2
            wave = sine(wave)
            wave *= rough * height
            crest += wave
        crest += y
        inside = crest > 0
        shade = crest * 0.6
        shade += 0.95 - 0.7 * near
        np.minimum(shade, 1.1, out=shade)
        np.copyto(light, shade, where=inside)
        np.copyto(up, crest, where=inside)
        np.add(across, 2.7, out=across, where=inside)
    return across, up, light
