"""Pictures as data URIs, so that a page needs no file beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from mmpmg.visualization.charts import DARK, LIGHT, Theme, svg

from .run_log import Run

WIDEST = 1600


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as a data URI of a media type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def themed(draw: Callable[[Theme], Figure]) -> dict[str, str]:
    """Draw a chart in both colour schemes: "light" and "dark" -> data URI."""
    return {
        name: data_uri(svg(draw(theme)).encode(), "image/svg+xml")
        for name, theme in (("light", LIGHT), ("dark", DARK))
    }


def embedded(path: Path) -> str:
    """Return a picture file as a data URI, scaled down and packed so that pages stay small.

    Args:
        path: Any picture that Pillow reads.

    Returns:
        A JPEG of at most 1600 pixels width.

    Raises:
        OSError: It cannot be read.
    """
    with Image.open(path) as file:
        picture = file.convert("RGB")
    if picture.width > WIDEST:
        height = max(1, round(picture.height * WIDEST / picture.width))
        picture = picture.resize((WIDEST, height), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    # Not optimize=True: Pillow's buffer is then too small for a picture full of noise.
    picture.save(packed, "JPEG", quality=85, subsampling=0)
    return data_uri(packed.getvalue(), "image/jpeg")


def reconstruction_files(run: Run) -> list[Path]:
    """Return a run's pictures: the latest of ``ReconstructionHook``, and what was drawn later."""

    def number(path: Path) -> int:
        digits = path.stem.rpartition("_")[2]
        return int(digits) if digits.isdigit() else -1

    hooked = sorted(run.folder.glob("reconstructions/*_*.png"), key=number)
    return hooked[-1:] + sorted(run.folder.glob("pictures/reconstructions_*.png"))


def pictures(runs: Sequence[Run], more: Sequence[str]) -> tuple[list[dict[str, str]], list[str]]:
    """Embed the runs' reconstructions and the pictures that were named besides.

    Args:
        runs: Any.
        more: Picture files.

    Returns:
        Pictures with ``data`` and ``caption``, and a sentence for each that cannot be read.
    """
    named = [(f"{run.name}: {file.parent.name}/{file.name}", file)
             for run in runs for file in reconstruction_files(run)]  # fmt: skip
    named += [(Path(file).name, Path(file)) for file in more]
    found, problems = [], []
    for caption, file in named:
        try:
            found.append(dict(data=embedded(file), caption=caption))
        # What Pillow raises besides for files that are broken, or far too large.
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            problems.append(f"the picture {file} cannot be read ({error})")
    return found, problems
