"""Text on pictures."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Picture: TypeAlias = npt.NDArray[np.uint8]

INK = (32, 36, 44)
PAPER = (255, 255, 255)


@lru_cache(maxsize=8)
def _font(size: int) -> Any:
    """Return Pillow's own font, so that pictures look alike on every machine."""
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size
        return ImageFont.load_default()


def text_block(text: str, width: int, size: int = 13, height: int | None = None) -> Picture:
    """Write text on paper, wrapped to a width and centred vertically.

    Args:
        text: Lines are kept; long ones are wrapped.
        width: Of the block, in pixels, > 0.
        size: Of the letters, in pixels.
        height: Of the block in pixels, at least what the text needs. None: just that.

    Returns:
        (height, width, 3) uint8.
    """
    font = _font(size)
    columns = max(1, int((width - 10) / font.getlength("abcdefghij nopq rst") * 19))
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, columns) or [""]]
    step = round(size * 1.35)
    needed = step * len(lines) + 6
    height = max(needed, height or 0)
    picture = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(picture)
    top = (height - needed) // 2 + 3
    for number, line in enumerate(lines):
        draw.text((5, top + number * step), line, fill=INK, font=font)
    return np.array(picture)


def text_width(text: str, size: int = 13) -> int:
    """Return the width in pixels that keeps every line of a text unwrapped."""
    return int(max(_font(size).getlength(line) for line in text.split("\n")) * 1.2) + 16
