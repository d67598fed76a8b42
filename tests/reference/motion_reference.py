"""Plain restatements of what a motion means, to check the fast code against."""

from __future__ import annotations

import colorsys
import math

import numpy as np


def bilinear(image, x, y, border=(0, 0, 0)):
    """Value of an (H, W, C) image at one real-valued point; four neighbours, one by one."""
    height, width = image.shape[:2]
    left, top = math.floor(x), math.floor(y)
    value = np.zeros(image.shape[2])
    for yy, wy in ((top, 1 - (y - top)), (top + 1, y - top)):
        for xx, wx in ((left, 1 - (x - left)), (left + 1, x - left)):
            if isinstance(border, str):
                pixel = image[min(max(yy, 0), height - 1), min(max(xx, 0), width - 1)]
            elif 0 <= yy < height and 0 <= xx < width:
                pixel = image[yy, xx]
            else:
                pixel = np.array(border)
            value = value + wy * wx * pixel.astype(np.float64)
    return value


def displaced(deformation, frame, x, y):
    """Where pixel (x, y) of a frame looks, wave by wave."""
    dx = dy = 0.0
    if deformation is not None:
        for (fx, fy), phase, (ax, ay) in zip(
            deformation.frequencies, deformation.phases, deformation.amplitudes[frame]
        ):
            wave = math.sin(fx * x + fy * y + phase)
            dx, dy = dx + ax * wave, dy + ay * wave
    return x + dx, y + dy


def warp(image, homography, border=(0, 0, 0), deformation=None, frame=0):
    """Show an image through a homography from output pixel to image pixel; float64 levels."""
    height, width = image.shape[:2]
    out = np.zeros(image.shape)
    for row in range(height):
        for column in range(width):
            x, y, w = homography @ (*displaced(deformation, frame, column, row), 1.0)
            if w > 0:
                # Beyond this distance there is border on all sides; keeps integers small.
                px, py = (min(max(v / w, -1e6), 1e6) for v in (x, y))
                out[row, column] = bilinear(image, px, py, border)
            else:
                out[row, column] = 0 if isinstance(border, str) else border
    return out


def follow(homography_from, homography_to, x, y):
    """Where the point seen at (x, y) of one frame is seen in another frame."""
    source = homography_from @ (x, y, 1.0)
    target = np.linalg.inv(homography_to) @ source
    return target[:2] / target[2]


def grey(pixel):
    return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]


def change_color(frame, name, amount):
    """One colour step, pixel by pixel, float64 levels clipped to [0, 255]."""
    out = np.zeros(frame.shape)
    mean = np.mean([grey(p) for row in frame.astype(float) for p in row])
    for i, row in enumerate(frame.astype(float)):
        for j, pixel in enumerate(row):
            if name == "brightness":
                new = pixel * amount
            elif name == "contrast":
                new = pixel * amount + mean * (1 - amount)
            elif name == "saturation":
                new = pixel * amount + grey(pixel) * (1 - amount)
            else:
                hue, saturation, value = colorsys.rgb_to_hsv(*(pixel / 255))
                new = 255 * np.array(colorsys.hsv_to_rgb((hue + amount) % 1, saturation, value))
            out[i, j] = np.clip(new, 0, 255)
    return out


def paste_over(frame, partner, source, position):
    """Stick a rectangle of the partner onto a frame, pixel by pixel."""
    out = frame.copy()
    x0, y0, w, h = source
    for dy in range(h):
        for dx in range(w):
            y, x = position[1] + dy, position[0] + dx
            if 0 <= y < frame.shape[0] and 0 <= x < frame.shape[1]:
                out[y, x] = partner[y0 + dy, x0 + dx]
    return out
