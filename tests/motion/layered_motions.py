"""Motions with deformations and layers of every kind, drawn by hand rather than by an op."""

from __future__ import annotations

import math

import numpy as np

from mmpmg.motion import CutMix, Deformation, Layer, Matte, Motion

SIZE, FRAMES = (44, 60), 6


def waves(rng, count: int = 3) -> Deformation:
    frequencies = rng.uniform(-0.25, 0.25, (count, 2))
    amplitudes = rng.uniform(-1, 1, (FRAMES, count, 2))
    strain = np.linalg.norm(amplitudes, axis=2) @ np.linalg.norm(frequencies, axis=1)
    amplitudes *= (0.6 / strain)[:, None, None]
    return Deformation(frequencies, rng.uniform(0, 7, count), amplitudes)


def matte(rng, outline: str) -> Matte:
    blob = rng.uniform(-0.15, 0.15, 2 * int(rng.integers(0, 4)))
    corners = rng.uniform(0.5, 1.2, int(rng.integers(3, 9)))
    return Matte(
        outline, centre=(29.5, 21.25), radius=float(rng.uniform(7, 10)),
        shape=tuple((blob if outline == "blob" else corners).tolist()),
        stretch=float(rng.uniform(0.8, 1.25)), angle=float(rng.uniform(0, 7)),
        softness=float(rng.uniform(0.5, 5)),
    )  # fmt: skip


def path(
    rng, deformed: bool, colored: bool = False, tilted: float | bool = False, **options
) -> Motion:
    """A homography that shifts, turns, scales and tilts more with every frame.

    ``tilted``: how far, per pixel (True: 0.004); from about 0.02 on the horizon crosses the frame.
    """
    homographies = np.tile(np.eye(3), (FRAMES, 1, 1))
    turn, scale = rng.uniform(-0.1, 0.1), rng.uniform(0.97, 1.03)
    for k in range(FRAMES):
        c, s = scale**k * math.cos(k * turn), scale**k * math.sin(k * turn)
        x, y = rng.uniform(-3, 3, 2) + k * rng.uniform(-4, 4, 2)
        homographies[k, :2] = [[c, -s, x], [s, c, y]]
        if tilted:
            most = 0.004 if tilted is True else tilted
            homographies[k, 2, :2] = rng.uniform(-most, most, 2)
    names = ("hue", "brightness", "saturation") if colored else ()
    color = rng.uniform(0.7, 1.3, (FRAMES, 3)) if colored else np.empty((FRAMES, 0))
    return Motion(
        family="path", size=SIZE, homographies=homographies, color_ops=names, color=color,
        deformation=waves(rng, int(rng.integers(1, 5))) if deformed else None, **options,
    )  # fmt: skip


def layered(seed: int, parts: int, paste: bool = False) -> Motion:
    rng = np.random.default_rng(seed)
    layers = tuple(
        Layer(
            matte(rng, ("blob", "polygon")[(seed + n) % 2]),
            path(rng, deformed=n % 2 == 0, colored=n == 1, tilted=n == 2, border=(9, 200, 30)),
            image=n % 2,
        )
        for n in range(parts)
    )
    pasted = CutMix(window=0.3).sample(rng, FRAMES, SIZE).paste if paste else None
    background = path(rng, deformed=seed % 2 == 1, border=(0, 0, 0), paste=pasted)
    values = {name: getattr(background, name) for name in background.__dataclass_fields__}
    return Motion(**{**values, "layers": layers})
