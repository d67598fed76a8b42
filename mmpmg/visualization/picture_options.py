"""What ``tools/visualize.py`` can be asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FORMATS = ("png", "jpg", "gif", "mp4")


def check_folder(out: str | Path) -> None:
    """Refuse a folder that cannot be made, before minutes are spent on what would go into it.

    Args:
        out: Where the pictures go.

    Raises:
        ValueError: It ends as a picture does, and is no folder yet; or see `check_picture`.
    """
    out = Path(out)
    if out.suffix.lower() in (".jpeg", *(f".{name}" for name in FORMATS)) and not out.is_dir():
        raise ValueError(
            f"--out {out} must be a folder, as several pictures may go there: "
            f"--out {out.parent} --format {out.suffix[1:].lower().replace('jpeg', 'jpg')}"
        )
    _check_place(out, out)


def check_picture(out: str | Path) -> None:
    """Refuse a picture that cannot be written, before it is drawn.

    Args:
        out: The picture.

    Raises:
        ValueError: It ends with neither .png nor .jpg, is a folder, stands below a file, or
            where only others may write.
    """
    out = Path(out)
    if out.suffix.lower() not in (".png", ".jpg"):
        raise ValueError(f"--out {out} must end with .png or .jpg")
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder: name a file in it")
    _check_place(out, out.parent)


def _check_place(out: Path, folder: Path) -> None:
    """Look at the nearest folder that is there."""
    above = next(place for place in (folder, *folder.parents) if place.exists())
    if not above.is_dir():
        raise ValueError(f"--out {out}: {above} is a file, and a folder is wanted")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ValueError(f"--out {out}: you may not write into {above}; name another folder")


@dataclass(frozen=True)
class PictureOptions:
    """What to draw of a recipe.

    Attributes:
        num_clips: Clips, spread evenly over the training set, at least 1.
        formats: Of "png" and "jpg" (contact sheet), "gif" and "mp4" (animation).
        mask: Draw the recipe's own masks.
        flow: Draw the exact flow of pseudo-motion clips.
        families: Draw all families on one image.
        image: File of the image for ``families``; None, or smaller than 224 pixels: the first of
            the recipe's source, and where that is as small, a shader image of our own.
        ops: Motions that take the place of the recipe's, by type name; empty: the recipe's.
        gallery: So many images of the source beside the frames that become of them; 0: none.
            With ``families`` or ``gallery`` clips are drawn only where masks, flow or a checkpoint
            are asked for too.
        guided: P_den of flow-guided masks, each in (0, 1), drawn with what guides them instead of
            plain clips; empty: those of Fig. 4; None: none.
        ratios: Their (P_spa, P_tmp), each in (0, 1]; None: those of Fig. 4.
        statistics: Of reconstructions, "visible" or "truth".
        mask_ratios: Of reconstructions, each in (0, 1); none: the recipe's.
        losses: Draw the loss of each patch beside reconstructions.
        seed: Of the run that is looked into; None: the recipe's ``randomness.seed``.
        columns: Frames of each clip on a sheet, at least 1.
        fps: Speed of animations, in frames per second.
    """

    num_clips: int = 4
    formats: Sequence[str] = ("png", "gif")
    mask: bool = False
    flow: bool = False
    families: bool = False
    image: str | None = None
    ops: Sequence[str] = ()
    gallery: int = 0
    guided: Sequence[float] | None = None
    ratios: tuple[float, float] | None = None
    statistics: str = "visible"
    mask_ratios: Sequence[float] = ()
    losses: bool = True
    seed: int | None = None
    columns: int = 8
    fps: float = 8.0
