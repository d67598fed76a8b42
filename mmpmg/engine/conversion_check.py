"""Runs the models on both sides of a conversion on the same random clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from mmpmg.engine.converted_models import Side, mmaction2_side, our_side, random_clips
from mmpmg.engine.hugging_face_models import hugging_face_side
from mmpmg.models.conversion import Conversion, convert
from mmpmg.models.conversion.layouts import FORMATS, HUGGING_FACE, OFFICIAL, OURS
from mmpmg.models.conversion.sizes import hints_of_sizes

LARGEST = 1e-4
"""Largest difference of an output that counts as equal."""


class Difference(NamedTuple):
    """How far both sides are apart in one output."""

    what: str
    """The output."""
    largest: float
    """Largest absolute difference, with the eps of every norm at the authors' 1e-6."""
    as_built: float
    """The same with the other library's model as it builds it."""
    scale: float
    """Largest absolute value of the output."""


class Check(NamedTuple):
    """What both sides compute."""

    differences: list[Difference]
    """One for each output that both have."""
    notes: list[str]
    """What was compared, and what could not be."""

    @property
    def passed(self) -> bool:
        """Whether all are equal up to `LARGEST`; of nothing compared, yes. NaN is not equal."""
        return all(difference.largest <= LARGEST for difference in self.differences)

    def text(self) -> str:
        """Print as text."""
        lines = [f"check: {note}" for note in self.notes]
        for row in self.differences:
            built = f", as that library builds it {row.as_built:.1e}"
            lines.append(
                f"  {row.what}: largest difference {row.largest:.1e}"
                f"{built if row.as_built != row.largest else ''} (largest value {row.scale:.2g})"
            )
        if self.differences:
            lines.append(f"check: {'equal' if self.passed else 'NOT equal'} (up to {LARGEST:g})")
        return "\n".join(lines)


def check_conversion(
    state: Mapping[str, Tensor], conversion: Conversion, source_folder: Path | None, out: Path
) -> Check:
    """Compare what the source's and the target's models compute.

    Ours are built from the sizes; Hugging Face's by its own ``from_pretrained``; where both files
    are ours, MMAction2's ``VisionTransformer`` stands on the other side. The official code is no
    package: there, every weight must come back unchanged.

    Args:
        state: The source's weights, without wrappers.
        conversion: What was made of them.
        source_folder: The source, where it is a folder of Hugging Face.
        out: What was written.

    Raises:
        ImportError: transformers is not installed.
        ValueError: Hugging Face's model was not filled, or the heads are not known.
    """
    formats = (conversion.source, conversion.target)
    if conversion.source_sizes.grid != conversion.sizes.grid:
        return Check([], ["the clips have another size now, so there is nothing to compare"])
    if conversion.source not in FORMATS:
        return Check([], ["an image model sees no clips, so there is nothing to compare"])
    if set(formats) & set(OFFICIAL):
        return _there_and_back(state, conversion)
    sizes = (conversion.source_sizes, conversion.sizes)
    states, folders = (state, conversion.state), (source_folder, out)
    clips = random_clips(conversion.sizes)
    sides = []
    for kind, its_state, its_sizes, folder in zip(formats, states, sizes, folders, strict=True):
        if kind in HUGGING_FACE:
            sides.append(hugging_face_side(kind, its_state, its_sizes, folder, clips))
        elif sides and kind != "pretrainer" and formats[0] in OURS:
            sides.append(mmaction2_side(its_state, its_sizes, clips))
        else:
            sides.append(our_side(kind, its_state, its_sizes, conversion.branch, clips))
    return Check(_compare(*sides), [side.note for side in sides])


def _compare(left: Side, right: Side) -> list[Difference]:
    differences = []
    for what, output in left.aligned.items():
        if what not in right.aligned:
            continue
        as_built = (left.as_built[what] - right.as_built[what]).abs().max()
        differences.append(
            Difference(
                what,
                float((output - right.aligned[what]).abs().max()),
                float(as_built),
                float(output.abs().max()),
            )
        )
    return differences


def _there_and_back(state: Mapping[str, Tensor], conversion: Conversion) -> Check:
    """Convert back and compare every weight that was carried."""
    sizes = conversion.sizes
    branch = conversion.branch if conversion.source == "pretrainer" else None
    back = convert(conversion.state, conversion.source, branch, hints_of_sizes(sizes)).state
    carried = [key for key in state if key in back]
    largest = max(float((state[key] - back[key]).abs().max()) for key in carried)
    scale = max(float(state[key].abs().max()) for key in carried)
    what = f"{len(carried)} of {len(state)} weights, there and back"
    note = "the authors' code is no package to be run here: converted back, and weights compared"
    return Check([Difference(what, largest, largest, scale)], [note])
