"""Decode one image file, of whatever kind, to 8-bit RGB; or say what is wrong with it."""

from __future__ import annotations

import io
import os
import struct
import warnings

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

#: Largest number of pixels that is decoded by default: 8000 x 8000, 192 MB as RGB.
MAX_PIXELS = 64_000_000

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
# Start-of-frame markers, all but DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# OpenCV 4.11 and later decode to RGB at no cost; turning the channels over afterwards costs 4 %.
_DECODES_RGB = hasattr(cv2, "IMREAD_COLOR_RGB")
_JPEG_REDUCED = {
    1: cv2.IMREAD_COLOR_RGB if _DECODES_RGB else cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


class ImageReadError(Exception):
    """One image cannot be read; the message names the image and the cause.

    Args:
        name: what the source calls the image.
        cause: why it cannot be read.
    """

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(name, cause)
        self.name = name
        self.cause = cause

    def __str__(self) -> str:
        # A file name need not be valid UTF-8, and a log must not fail because of it.
        name = self.name.encode("utf-8", "backslashreplace").decode()
        return f"{name}: {self.cause}"


def read_image(path: str | bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read one image file.

    Greyscale, palette, CMYK and the like become RGB; transparent pixels are laid over black, the
    colour that motion fills its borders with; 16 bits are cut to the upper 8; the EXIF rotation is
    applied; of an animation the first frame counts. JPEG goes through OpenCV, which takes half
    the time of Pillow; everything else, and JPEG that is not plain, through Pillow.

    Args:
        path: the file; any name that the system allows.
        max_pixels: largest number of pixels, 1 or more. A JPEG that has more is decoded at 1/2,
            1/4 or 1/8 of its sides, if that suffices; any other file is refused.

    Returns:
        The image, (H, W, 3) uint8 RGB, contiguous.

    Raises:
        ImageReadError: the file is missing, empty, truncated, no image or too large.
    """
    name = os.fsdecode(path)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        broken = os.path.islink(path)
        cause = f"broken link to {os.readlink(name)}" if broken else "the file does not exist"
        raise ImageReadError(name, cause) from None
    except OSError as error:
        raise ImageReadError(name, error.strerror or type(error).__name__) from error
    return decode_image(data, name, max_pixels)


def decode_image(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode one image from the bytes of its file; see `read_image`.

    Args:
        data: content of the file.
        name: what an error calls it.
        max_pixels: as in `read_image`.

    Returns:
        The image, (H, W, 3) uint8 RGB, contiguous.

    Raises:
        ImageReadError: the content is empty, truncated, no image or too large.
    """
    if not data:
        raise ImageReadError(name, "the file is empty")
    frame = _jpeg_frame(data)
    if frame is not None:
        height, width, components = frame
        # Old OpenCV fills what a truncated file lacks with grey, so look for the end first.
        if components in (1, 3) and _JPEG_END in data[-64:]:
            reduction = next(
                (n for n in _JPEG_REDUCED if -(-height // n) * -(-width // n) <= max_pixels), 0
            )
            if not reduction:
                raise _too_large(name, width, height, max_pixels)
            try:
                image = cv2.imdecode(np.frombuffer(data, np.uint8), _JPEG_REDUCED[reduction])
            except cv2.error:
                image = None  # Pillow names the cause
            if image is not None:
                if reduction == 1 and _DECODES_RGB:
                    return image
                return cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    return _decode_by_pillow(data, name, max_pixels)


def _decode_by_pillow(data: bytes, name: str, max_pixels: int) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # size is ours to judge; odd metadata is harmless
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > max_pixels:
                    raise _too_large(name, image.width, image.height, max_pixels)
                image.load()
                return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except UnidentifiedImageError:
        raise ImageReadError(name, f"no image: it begins with {data[:8]!r}") from None
    except Image.DecompressionBombError:
        raise ImageReadError(name, f"more than max_pixels={max_pixels} pixels") from None
    except ImageReadError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds on broken data
        raise ImageReadError(name, f"cannot be decoded: {error or type(error).__name__}") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode of Pillow to RGB, transparency over black."""
    if image.mode.startswith("I"):  # 16-bit grey, stored in 16 or 32 bits
        grey = np.clip(np.asarray(image).astype(np.int64), 0, 65535) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; convert them to 8 bits")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        colour = image.convert("RGBA")
        black = Image.new("RGBA", colour.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, colour)
    return image.convert("RGB")


def _jpeg_frame(data: bytes) -> tuple[int, int, int] | None:
    """Return (height, width, components) of a JPEG, or None when there is no frame to be found."""
    if not data.startswith(_JPEG_START):
        return None
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_FRAME:
            height, width, components = struct.unpack_from(">HHB", data, at + 5)
            return (height, width, components) if height and width else None
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


def _too_large(name: str, width: int, height: int, max_pixels: int) -> ImageReadError:
    return ImageReadError(
        name,
        f"{width} x {height} pixels are more than max_pixels={max_pixels} of images in the recipe",
    )
