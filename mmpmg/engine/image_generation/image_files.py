"""One image as a file: whole, or not at all.

A file is written under a temporary name in a folder of its run, flushed to the disk (``fsync``;
.4 ms on an SSD), and renamed. So a file that bears its name is whole, also after a crash of the
machine; and only then is it reported and noted in the journal.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from .command import FORMATS


def encode(image: np.ndarray, format: str) -> bytes:
    """Encode an image; three equal channels become one, which is a third of the bytes.

    Args:
        image: (H, W, 3) uint8 RGB.
        format: a key of `FORMATS`.

    Returns:
        Content of the file.
    """
    ending, _, options = FORMATS[format]
    red = image[..., 0]
    if np.array_equal(red, image[..., 1]) and np.array_equal(red, image[..., 2]):
        pixels = np.ascontiguousarray(red)
    else:
        pixels = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(ending, pixels, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {image.shape} as {format}")
    return data.tobytes()


def write_file(path: Path, temporary: Path, data: bytes) -> None:
    """Write a file in one piece, on the disk when this returns.

    Args:
        path: its name.
        temporary: another name on the same file system, of this process only.
        data: its content.

    Raises:
        OSError: it cannot be written; nothing is left.
    """
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.replace(temporary, path)
        except FileNotFoundError:
            path.parent.mkdir(exist_ok=True)
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
