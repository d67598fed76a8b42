"""Pictures and clips as files: PNG, JPEG, GIF and MP4, chosen by the file's ending."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmpmg import typed

from .labels import Picture

ENDINGS = {".png": "a picture", ".jpg": "a picture", ".gif": "a clip", ".mp4": "a clip"}


def write(path: str | Path, picture: Picture, fps: float = 8.0) -> Path:
    """Write a picture as .png or .jpg, or a clip as .gif or .mp4.

    Args:
        path: File to write, its folder is made; the ending decides.
        picture: (H, W, 3) uint8 RGB for .png and .jpg; (T, H, W, 3) for .gif and .mp4.
        fps: Frames per second of a clip, > 0. GIF counts in hundredths of a second; equal frames
            that follow one another are stored once, and shown as long.

    Returns:
        ``path``.

    Raises:
        ValueError: Another ending, or a picture for a clip's ending or the reverse.
        OSError: The file cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(
            f"cannot write {path.name}: the ending is one of {', '.join(ENDINGS)} "
            f"({typed.tool('visualize.py')} --format png jpg gif mp4)"
        )
    if fps <= 0:
        raise ValueError(f"fps {fps} must be > 0")
    if picture.dtype != np.uint8 or picture.shape[-1:] != (3,):
        raise ValueError(f"cannot write {picture.dtype} {picture.shape}: give uint8 RGB")
    if picture.ndim != (3 if ENDINGS[ending] == "a picture" else 4):
        raise ValueError(
            f"{ending} holds {ENDINGS[ending]}, but the array has shape {picture.shape}: "
            "(H, W, 3) goes into .png or .jpg, (T, H, W, 3) into .gif or .mp4"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".png":
        Image.fromarray(picture).save(path)
    elif ending == ".jpg":
        Image.fromarray(picture).save(path, quality=88, subsampling=0, optimize=True)
    elif ending == ".gif":
        _write_gif(path, picture, fps)
    else:
        _write_mp4(path, picture, fps)
    return path


def _write_gif(path: Path, clip: Picture, fps: float) -> None:
    """Write frames with a palette each: one palette for all would band the colours."""
    frames = [Image.fromarray(frame).quantize(256) for frame in clip]
    duration = max(20, round(100 / fps) * 10)  # below 20 ms, viewers slow down to 100 ms
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=duration, loop=0)


def _write_mp4(path: Path, clip: Picture, fps: float) -> None:
    """Write MPEG-4 video, which OpenCV's own build encodes on every machine."""
    # Codecs halve the colour's resolution, so sides must be even: repeat the last row or column.
    pad = ((0, 0), (0, clip.shape[1] % 2), (0, clip.shape[2] % 2), (0, 0))
    clip = np.pad(clip, pad, mode="edge")
    # FFmpeg takes the container from the file's ending, so the unfinished file has it too.
    unfinished = path.with_name(f".{path.stem}.part.mp4")
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(unfinished), codec, fps, (clip.shape[2], clip.shape[1]))
    if not writer.isOpened():
        raise OSError(f"OpenCV cannot write {path}: write a .gif instead (--format gif)")
    for frame in clip:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    os.replace(unfinished, path)
