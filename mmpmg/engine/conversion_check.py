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
from mmpmg.models.conversion import Conversion, convert
from mmpmg.models.conversion.fixed_positions import is_fixed, sinusoid
from mmpmg.models.conversion.layouts import FORMATS, HUGGING_FACE, OFFICIAL, OURS, PRETRAINING
from mmpmg.models.conversion.report import LOADED
from mmpmg.models.conversion.sizes import hints_of_sizes

LARGEST = 1e-4
"""Largest difference of an output that counts as equal."""
_NOTE = "the authors' code is no package to be run here: converted back, and weights compared"


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
    return Check(_compare(*sides), [side.note for side in sides])


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
    """Convert back and compare every weight that was carried."""
    sizes = conversion.sizes
    branch = conversion.branch if conversion.source == "pretrainer" else None
    back = convert(conversion.state, conversion.source, branch, hints_of_sizes(sizes)).state
    carried = [key for key in state if key in back]
    loaded = {row.source for row in conversion.rows if row.status == LOADED}
    lost = sorted(key for key in loaded & set(state) if key not in back)
    if lost or not carried:
        told = f"{lost[0]} does not come back" if lost else "no weight comes back"
        return Check([Difference(told, math.inf, math.inf, math.inf)], [_NOTE])
    # torch's maximum is NaN where one is; Python's loses it.
    apart = [(state[key].float() - back[key].float()).abs().max() for key in carried]
    largest = float(torch.stack(apart).max())
    scale = float(torch.stack([state[key].float().abs().max() for key in carried]).max())
    what = f"{len(carried)} of {len(state)} weights, there and back"
    return Check([Difference(what, largest, largest, scale)], [_NOTE])
