"""Runs the models on both sides of a conversion on the same random clips."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from mmpmg.engine.converted_models import Side, mmaction2_side, our_side, random_clips
from mmpmg.engine.hugging_face_models import hugging_face_side
from mmpmg.models.conversion import Conversion
from mmpmg.models.conversion.fixed_positions import is_fixed, sinusoid
from mmpmg.models.conversion.layouts import (
    FORMATS,
    HUGGING_FACE,
    OFFICIAL,
    OURS,
    PRETRAINING,
    QKV,
)
from mmpmg.models.conversion.naming import Naming
from mmpmg.models.conversion.reading import branches_of, read
from mmpmg.models.conversion.report import LOADED, MISSING, UNEXPECTED

LARGEST = 1e-4
"""Largest difference of an output that counts as equal."""
_NOTE = "the authors' code is no package to be run here: read back, and weights compared"

_COMPUTED = ("fixed positions", "zeros: ")
"""Reasons of rows that one side has no weight for and computes all the same."""


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
    package: there, every weight must come back unchanged. What one side alone has is in the notes.

    Args:
        state: The source's weights, without wrappers.
        conversion: What was made of them.
        source_folder: The source, where it is a folder of Hugging Face.
        out: What was written.

    Raises:
        ImportError: transformers is not installed.
        ValueError: A model cannot be built around its weights, or the heads are not known.
    """
    formats = (conversion.source, conversion.target)
    if conversion.source_sizes.grid != conversion.sizes.grid:
        return Check([], ["the clips have another size now, so there is nothing to compare"])
    if conversion.source not in FORMATS:
        return Check([], ["an image model sees no clips, so there is nothing to compare"])
    if set(formats) & set(OFFICIAL):
        return _there_and_back(state, conversion)
    sizes = (conversion.source_sizes, conversion.sizes)
    states = (_in_float32(state), _in_float32(conversion.state))
    folders = (source_folder, out)
    # Only where both have a decoder is there something of it to compare.
    decodes = set(formats) <= set(PRETRAINING)
    clips = random_clips(conversion.sizes)
    sides = []
    for kind, its_state, its_sizes, folder in zip(formats, states, sizes, folders, strict=True):
        if kind in HUGGING_FACE:
            sides.append(hugging_face_side(kind, its_state, its_sizes, folder, clips))
        elif sides and kind != "pretrainer" and formats[0] in OURS:
            sides.append(mmaction2_side(its_state, its_sizes, clips))
        else:
            kind = kind if decodes or kind != "pretrainer" else "encoder"
            sides.append(our_side(kind, its_state, its_sizes, conversion.branch, clips))
    notes = [side.note for side in sides] + _not_compared(conversion)
    return Check(_compare(*sides), notes)


def _in_float32(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Compute in float32 what was kept in half; a fixed table of positions as it was meant."""
    precise = {}
    for key, value in state.items():
        rounded = value.is_floating_point() and value.dtype != torch.float32
        precise[key] = value.float() if rounded else value
        if rounded and key.endswith("pos_embed") and value.ndim == 3 and is_fixed(value):
            precise[key] = sinusoid(*value.shape[1:])
    return precise


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
    """Read both files back into one spelling and compare every weight that was carried."""
    there = read(state, _naming(state, conversion.source, conversion.branch))
    back = read(conversion.state, _naming(conversion.state, conversion.target, conversion.branch))
    loaded = {row.source for row in conversion.rows if row.status == LOADED}
    carried = [key for key, source in there.sources.items() if source in loaded]
    lost = sorted(there.sources[key] for key in carried if key not in back.values)
    notes = [_NOTE, *_not_compared(conversion)]
    if lost or not carried:
        told = f"{lost[0]} does not come back" if lost else "no weight comes back"
        return Check([Difference(told, math.inf, math.inf, math.inf)], notes)
    # torch's maximum is NaN where one is; Python's loses it.
    pairs = [(there.values[key].float(), back.values[key].float()) for key in carried]
    largest = float(torch.stack([(left - right).abs().max() for left, right in pairs]).max())
    scale = float(torch.stack([left.abs().max() for left, _ in pairs]).max())
    count = sum(_count(there.sources[key]) for key in carried)
    what = f"{count} of {len(state)} weights, there and back"
    return Check([Difference(what, largest, largest, scale)], notes)


def _naming(state: Mapping[str, Tensor], kind: str, branch: str | None) -> Naming:
    if kind != "pretrainer":
        return Naming(kind)
    return Naming(kind, *branches_of(state, branch, whole=True))


def _not_compared(conversion: Conversion) -> list[str]:
    """Say of what one side alone has that it is no part of the check, with the reasons."""
    sides = (
        ("the source", [row for row in conversion.rows if row.status == UNEXPECTED]),
        ("the target", [row for row in conversion.rows if row.status == MISSING]),
    )
    notes = []
    for side, rows in sides:
        reasons: dict[str, int] = {}
        for row in rows:
            if not row.reason.startswith(_COMPUTED):
                count = _count(row.source or row.target)
                reasons[row.reason] = reasons.get(row.reason, 0) + count
        if reasons:
            told = "; ".join(
                f"{count} ({reason})" if count else reason for reason, count in reasons.items()
            )
            notes.append(f"not compared, as {side} alone has them: {told}")
    return notes


def _count(keys: str) -> int:
    """Count the keys that a row names: q, k and v may be one, and ``necks.*`` names none."""
    return len(QKV) if "{" in keys else 0 if "*" in keys else 1
