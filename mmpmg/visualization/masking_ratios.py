"""Another share of masked tokens than the recipe's, for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mmpmg.models.maskers import FlowGuidedDenseMasker
from mmpmg.models.maskers.uniform import UniformMasker
from mmpmg.models.pretrainers.pretrainer import Pretrainer


@contextmanager
def changed(part: Any, values: Mapping[str, Any]) -> Iterator[None]:
    """Set attributes for a while.

    Args:
        part: Left as it was, also where something raises in between.
        values: Name of an attribute that it has -> value.
    """
    before = {name: getattr(part, name) for name in values}
    try:
        for name, value in values.items():
            setattr(part, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(part, name, value)


def at_ratio(model: Pretrainer, ratio: float) -> str:
    """Say what a masking ratio means to the model's masker."""
    if isinstance(model.masker, FlowGuidedDenseMasker):
        return f"P_spa {ratio:.3g} in all slots"
    return f"ratio {ratio:.3g}"


@contextmanager
def masking_ratio(model: Pretrainer, ratio: float | None) -> Iterator[None]:
    """Let the model's masker mask another share of all tokens for a while.

    ``FlowGuidedDenseMasker`` has two ratios, whose product is the share that is masked on average.
    Here its spatial one becomes the ratio, in every slot (a temporal ratio of 1): a slot left whole
    would show what the slots beside it hide. DEMVM's Fig. 5 speaks of "masking ratios of 30% and
    80%" and does not say of which of the two.

    Args:
        model: Left as it was.
        ratio: Share to mask, in (0, 1); None: the recipe's.

    Raises:
        ValueError: The masker has no ratio, or this one masks nothing or everything.
    """
    masker = model.masker
    if ratio is None:
        yield
        return
    if isinstance(masker, FlowGuidedDenseMasker):
        values = dict(spatial_ratio=ratio, temporal_ratio=1.0)
    elif isinstance(masker, UniformMasker):
        values = dict(mask_ratio=ratio)
    else:
        raise ValueError(
            f"--mask-ratio {ratio:g}: {type(masker).__name__} has no mask_ratio to change; leave "
            "--mask-ratio out"
        )
    with changed(masker, values):
        try:
            if not 0 < ratio < 1:
                raise ValueError("must lie between 0 and 1, e.g. 0.75")
            if isinstance(masker, UniformMasker):
                masker.num_masked(model.backbone.grid)
        except ValueError as error:
            raise ValueError(f"--mask-ratio {ratio:g}: {error}") from error
        yield
