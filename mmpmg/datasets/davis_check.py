"""What a sequence of DAVIS consists of, and whether it can be evaluated."""

from __future__ import annotations

import os
from typing import Any

from .image_decoding import read_image
from .object_masks import AnnotationError, object_ids_of, objects_of, read_values

#: The first frame is given and the last left out, so that fewer leave nothing to evaluate.
MIN_FRAMES = 3


def examine_sequence(frames: str, masks: str, annotations: str, unknown_ids: str) -> dict[str, Any]:
    """Look through a sequence's files, each of which is decoded once.

    Args:
        frames: Folder of its frames, .jpg in the order of their names.
        masks: Folder of its masks, .png, one of the same name for each frame.
        annotations: What the masks' values mean, one of `ANNOTATIONS`.
        unknown_ids: One of `UNKNOWN_IDS`.

    Returns:
        ``frame_files``, ``mask_files`` (paths), ``object_ids`` (1, 2, ...), ``binary_masks``.

    Raises:
        FileNotFoundError: Frames or masks are missing.
        AnnotationError: The masks do not fit the frames or their objects; too few frames.
        ImageReadError: A file does not open.
    """
    names = _stems(frames, ".jpg")
    annotated = set(_stems(masks, ".png")) if os.path.isdir(masks) else set()
    if len(names) < MIN_FRAMES:
        raise AnnotationError(
            f"{frames}: {len(names)} frames (.jpg); the first is given and the last does not "
            f"count, so at least {MIN_FRAMES} are needed; take it out of dataset.sequences"
        )
    frame_files = [os.path.join(frames, f"{name}.jpg") for name in names]
    mask_files = [os.path.join(masks, f"{name}.png") for name in names]
    if names[0] not in annotated:
        raise FileNotFoundError(
            f"no first mask {mask_files[0]}: it says what to follow, so it has to be there (masks "
            "of DAVIS are in Annotations/RESOLUTION/SEQUENCE, named like their frames)"
        )
    unmasked = [file for name, file in zip(names, mask_files, strict=True) if name not in annotated]
    if unmasked:
        raise FileNotFoundError(
            f"{len(unmasked)} of {len(names)} frames of {frames} have no mask, for example "
            f"{unmasked[0]}; J and F need one for every frame, which DAVIS's train and val have "
            "and its test sets do not (dataset.sequences)"
        )
    frameless = sorted(annotated - set(names))
    if frameless:
        raise FileNotFoundError(
            f"{len(frameless)} masks have no frame, for example {masks}/{frameless[0]}.png and no "
            f"{frames}/{frameless[0]}.jpg; unpack the data anew"
        )
    binary, count, size = False, 0, None
    for frame, mask in zip(frame_files, mask_files, strict=True):
        values = read_values(mask)
        frame_size, mask_size = read_image(frame).shape[:2], values.shape
        if mask_size != frame_size:
            raise AnnotationError(
                f"{mask} is {_words(mask_size)}, but its frame {frame} is {_words(frame_size)}: "
                "both must be of one resolution (dataset.resolution)"
            )
        if size is None:
            size = frame_size
            binary, count = objects_of(values, mask, annotations, unknown_ids)
        if frame_size != size:
            raise AnnotationError(
                f"{frame} is {_words(frame_size)}, but {frame_files[0]} is {_words(size)}: the "
                "frames of a sequence must be of one size"
            )
        # Behind the sizes: a mask of another size often was interpolated, and its ids are a sequel.
        object_ids_of(values, mask, binary, count, unknown_ids)
    return dict(
        frame_files=frame_files,
        mask_files=mask_files,
        object_ids=tuple(range(1, count + 1)),
        binary_masks=binary,
    )


def _stems(folder: str, ending: str) -> list[str]:
    files = (os.path.splitext(name) for name in os.listdir(folder) if not name.startswith("."))
    return sorted(stem for stem, suffix in files if suffix.lower() == ending)


def _words(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]} (width x height)"
