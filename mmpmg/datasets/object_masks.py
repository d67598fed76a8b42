"""Read annotations of video object segmentation: which object each pixel of a frame belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from .image_decoding import ImageReadError

Mask: TypeAlias = npt.NDArray[np.uint8]

#: What a file's values mean: decide by the first frame; object ids; 0 and 255 (DAVIS-2016).
ANNOTATIONS = ("auto", "ids", "binary")
#: What to do about pixels of objects that the first frame does not have.
UNKNOWN_IDS = ("error", "background")
#: "Do not judge here" in some data sets. DAVIS-2017's evaluation takes it for background.
VOID = 255
_SHOWN = 5  # ids in a message
_INTERPOLATED = 20  # unknown ids: more than objects that enter a sequence late
_NEAREST = (
    "So many values look like a mask that was resized by interpolation, which mixes ids, or saved "
    "as JPEG: resize masks by the nearest pixel, and save them as PNG"
)


class AnnotationError(ValueError):
    """An annotation says something that cannot be evaluated; the message names file and cure."""


def read_values(path: str) -> Mask:
    """Read the values that a mask's file holds: palette indices, not the palette's colours.

    Args:
        path: PNG with a palette, in grey, or in RGB with three equal channels.

    Returns:
        (H, W) uint8.

    Raises:
        ImageReadError: The file is missing, is no image, or holds colours or values above 255.
    """
    try:
        with Image.open(path) as image:
            mode = image.mode
            values = np.asarray(image)
    except FileNotFoundError:
        raise ImageReadError(path, "the file does not exist") from None
    except UnidentifiedImageError:
        raise ImageReadError(path, "no image, or one that is cut off") from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises on broken files
        raise ImageReadError(path, str(error)) from error
    if mode == "1":
        return values.astype(np.uint8) * np.uint8(255)
    if values.ndim == 3:
        colours = values[..., : 1 if mode == "LA" else 3]
        if (colours != colours[..., :1]).any():
            raise ImageReadError(
                path,
                f"a mask must hold ids, and this {mode} file holds colours: save it with its "
                "palette, as DAVIS has it, or in grey with the ids as values",
            )
        values = colours[..., 0]
    if values.min() < 0 or values.max() > 255:
        raise ImageReadError(path, f"values up to {values.max()}: object ids are 1 to 254")
    return np.ascontiguousarray(values, dtype=np.uint8)


def objects_of(first: Mask, path: str, annotations: str, unknown_ids: str) -> tuple[bool, int]:
    """Find out from a sequence's first mask what its objects are.

    Args:
        first: (H, W), what `read_values` gave.
        path: Its file, for messages.
        annotations: One of `ANNOTATIONS`. "auto" takes a first mask of 0 and 255 alone for binary.
        unknown_ids: One of `UNKNOWN_IDS`; with "background", `VOID` pixels are background.

    Returns:
        (binary, number of objects); the ids are 1 to that number.

    Raises:
        AnnotationError: It is empty, has void pixels, or ids that do not run from 1 without a gap.
    """
    found = np.unique(first)
    ids = [int(value) for value in found if value]
    binary = annotations == "binary" or (annotations == "auto" and ids == [VOID])
    if ids and binary:
        if ids != [VOID]:
            raise AnnotationError(
                f"{path}: holds {_few(ids)}, but a binary mask holds 0 and 255; "
                + (
                    _NEAREST
                    if len(ids) > _INTERPOLATED
                    else "set dataset.annotations='ids' where the values are object ids"
                )
            )
        return True, 1
    if VOID in ids and unknown_ids == "error":
        raise AnnotationError(_unknown(path, [VOID]))
    ids = [number for number in ids if number != VOID]
    if not ids:
        raise AnnotationError(
            f"{path}: the first frame's mask is empty, so there is nothing to follow; take the "
            "sequence out of dataset.sequences, or set dataset.annotations='binary' where 255 is "
            "the object"
        )
    if ids != list(range(1, len(ids) + 1)):
        raise AnnotationError(
            f"{path}: the first frame has ids {_few(ids)}, which must be 1, 2, ... without a gap: "
            "the evaluation of DAVIS-2017 counts every id up to the largest as an object. "
            + (_NEAREST if len(ids) > _INTERPOLATED else "Renumber the sequence's masks")
        )
    return False, len(ids)


def object_ids_of(values: Mask, path: str, binary: bool, count: int, unknown_ids: str) -> Mask:
    """Turn a file's values into object ids.

    Args:
        values: (H, W), what `read_values` gave.
        path: The file, for messages.
        binary: Whether 255 means object 1.
        count: Number of the sequence's objects, 1 to 254.
        unknown_ids: One of `UNKNOWN_IDS`.

    Returns:
        (H, W), 0 for background and 1 to ``count``.

    Raises:
        AnnotationError: There are other values, and ``unknown_ids`` is "error".
    """
    ids = np.zeros(256, dtype=np.uint8)
    known = [VOID] if binary else range(1, count + 1)
    ids[list(known)] = range(1, count + 1)
    if unknown_ids == "error":
        there = np.bincount(values.reshape(-1), minlength=256) > 0
        there[[0, *known]] = False
        if there.any():
            raise AnnotationError(_unknown(path, np.flatnonzero(there).tolist(), list(known)))
    return ids[values]


def _unknown(path: str, unknown: Sequence[int], known: Sequence[int] = ()) -> str:
    has = f" The sequence's first mask has {_few(known)}." if known else ""
    if len(unknown) > _INTERPOLATED:
        return f"{path}: unknown ids {_few(unknown)}.{has} {_NEAREST}"
    void = " 255 means void, not an object." if VOID in unknown and VOID not in known else ""
    return (
        f"{path}: unknown ids {_few(unknown)}.{has}{void} With dataset.unknown_ids='background' "
        "such pixels are background, as in the evaluation of DAVIS-2017"
    )


def _few(ids: Sequence[int]) -> str:
    shown = ", ".join(map(str, ids[:_SHOWN]))
    more = f", ... {len(ids)} in all" if len(ids) > _SHOWN else ""
    return f"[{shown}{more}]"
