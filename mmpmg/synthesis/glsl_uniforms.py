"""What a GLSL shader is told of the moment that it draws."""

from __future__ import annotations

from typing import Any

from .random_stream import RandomStream

_FRAME_RATE = 60


def uniforms(
    seed: int, category: int, instance: int, size: tuple[int, int], max_time: float
) -> dict[str, Any]:
    """Draw a moment of a shader's life.

    Args:
        seed: another seed gives other moments.
        category: which shader.
        instance: which image of it.
        size: (height, width) in pixels.
        max_time: seconds; the time is drawn from [0, max_time).

    Returns:
        The uniforms of Shadertoy and twigl, by name. In half of the moments no mouse has been
        there, as on a page just opened.
    """
    height, width = size
    stream = RandomStream(seed, category, instance)
    time = stream.uniform(0, max_time)
    touched = stream.chance(0.5)
    mx, my = (stream.unit(), stream.unit()) if touched else (0.0, 0.0)
    frame = int(time * _FRAME_RATE)
    pressed = [mx * width, my * height, mx * width, my * height]
    resolution = [float(width), float(height), 1.0]
    return {
        "iResolution": resolution,
        "iTime": time,
        "iTimeDelta": 1 / _FRAME_RATE,
        "iFrameRate": float(_FRAME_RATE),
        "iFrame": frame,
        "iChannelTime": [time] * 4,
        "iChannelResolution": [[256.0, 256.0, 1.0]] * 4,
        "iMouse": pressed,
        "iDate": [2024.0, 0.0, 1.0, 43200.0 + time],
        "iSampleRate": 44100.0,
        "resolution": resolution,
        "r": resolution,
        "mouse": [mx, my],
        "m": [mx, my],
        "time": time,
        "t": time,
        "frame": float(frame),
        "f": float(frame),
        "sound": 0.0,
        "s": 0.0,
    }
