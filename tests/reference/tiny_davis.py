"""A folder laid out like DAVIS-2017, of a few small frames with squares that move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

PALETTE = [(7 * k) % 256 for k in range(768)]  # no colour equals its index


def squares(frames: int, objects: int, size: tuple[int, int] = (24, 36)) -> np.ndarray:
    """(T, H, W) ids: each object a square of 6 x 6 that goes a pixel right and down a frame."""
    ids = np.zeros((frames, *size), dtype=np.uint8)
    for k in range(frames):
        for number in range(1, objects + 1):
            ids[k, 2 + k : 8 + k, 9 * number - 8 + k : 9 * number - 2 + k] = number
    return ids


def write_mask(path: Path, ids: np.ndarray) -> None:
    image = Image.fromarray(ids, mode="P")
    image.putpalette(PALETTE)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def write_frame(path: Path, seed: int, size: tuple[int, int]) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def write_sequence(root: Path, name: str, ids: np.ndarray, resolution: str = "480p") -> None:
    for k, one in enumerate(ids):
        frame = root / "JPEGImages" / resolution / name / f"{k:05d}.jpg"
        write_frame(frame, seed=k, size=one.shape)
        write_mask(root / "Annotations" / resolution / name / f"{k:05d}.png", one)


def tiny_davis(root: Path) -> Path:
    """Write sequences ``two`` (2 objects, 4 frames) and ``one`` (1 object, 3 frames)."""
    write_sequence(root, "two", squares(4, 2))
    write_sequence(root, "one", squares(3, 1, (20, 30)))
    listed = root / "ImageSets" / "2017" / "val.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text("two\none\n\n")
    return root
