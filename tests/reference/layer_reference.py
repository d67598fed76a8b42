"""Plain restatements of mattes and layers, point by point, to check the fast code against."""

from __future__ import annotations

import math

import numpy as np

from .motion_reference import bilinear, displaced


def inside(matte, point):
    """Is a point of the image within the rim? Blob by its equation, polygon by counting edges."""
    dx, dy = point[0] - matte.centre[0], point[1] - matte.centre[1]
    turned = complex(dx, dy) * complex(math.cos(matte.angle), -math.sin(matte.angle))
    q = turned.real / matte.stretch, turned.imag * matte.stretch
    if matte.outline == "blob":
        theta = math.atan2(q[1], q[0])
        r = 1.0
        for i in range(len(matte.shape) // 2):
            r += matte.shape[2 * i] * math.cos((i + 2) * theta)
            r += matte.shape[2 * i + 1] * math.sin((i + 2) * theta)
        return math.hypot(*q) < matte.radius * r
    count = len(matte.shape)
    corners = [
        (
            matte.radius * d * math.cos(2 * math.pi * i / count),
            matte.radius * d * math.sin(2 * math.pi * i / count),
        )
        for i, d in enumerate(matte.shape)
    ]
    crossings = 0
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
        if (y0 > q[1]) != (y1 > q[1]) and q[0] < x0 + (q[1] - y0) * (x1 - x0) / (y1 - y0):
            crossings += 1
    return crossings % 2 == 1


def alpha(matte, point):
    """The matte at one point: the rim along the ray is found by bisection."""
    away = math.dist(point, matte.centre)
    if away == 0:
        return 1.0
    ray = [(p - c) / away for p, c in zip(point, matte.centre)]
    near, far = 0.0, 10.0 * matte.radius * max(matte.stretch, 1 / matte.stretch)
    for _ in range(60):
        middle = 0.5 * (near + far)
        if inside(matte, [c + middle * r for c, r in zip(matte.centre, ray)]):
            near = middle
        else:
            far = middle
    t = min(max(0.5 + (near - away) / matte.softness, 0.0), 1.0)
    return 3 * t**2 - 2 * t**3


def lay(frame, layer, image, number):
    """Lay a layer over frame k of a clip, pixel by pixel; float64 levels."""
    height, width = frame.shape[:2]
    levels = np.zeros((height, width, 1))
    for y in range(height):
        for x in range(width):
            levels[y, x] = round(255 * alpha(layer.matte, (x, y)))
    out = frame.astype(np.float64)
    for y in range(height):
        for x in range(width):
            at = displaced(layer.motion.deformation, number, x, y)
            u, v, w = layer.motion.homographies[number] @ (*at, 1.0)
            if w > 0 and -1 < u / w < width and -1 < v / w < height:
                a = bilinear(levels, u / w, v / w)[0] / 255
                part = bilinear(image, u / w, v / w, "replicate")
                out[y, x] = a * part + (1 - a) * out[y, x]
    return out
