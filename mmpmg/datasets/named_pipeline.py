"""Pipelines whose steps have names, so that a recipe can change one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mmpmg import typed


def in_order(
    pipeline: Sequence[dict | Callable] | Mapping[str, dict | Callable | None],
) -> list[dict | Callable]:
    """Return the transforms of a pipeline as a list.

    Args:
        pipeline: recipes of transforms: a list, or a dict from a name to each, in order, so that a
            recipe can change one of them by its name (MMEngine never merges lists), fill a place
            that its base left free with None (``_delete_=True`` among the options, MMEngine wants
            it there), or take one out with None.

    Raises:
        ValueError: a step has no type, or the steps have lost their order.
    """
    steps = dict(pipeline if isinstance(pipeline, Mapping) else enumerate(pipeline))
    if isinstance(pipeline, Mapping):
        _check_order(pipeline)
    for name, step in steps.items():
        if isinstance(step, Mapping) and "type" not in step:
            raise ValueError(
                f"dataset.pipeline.{name} has no type: either a step of another name was meant, "
                f"one of {', '.join(map(str, steps))}, or its type is missing"
            )
    return [step for step in steps.values() if step is not None]


def _check_order(pipeline: Mapping[str, dict | Callable | None]) -> None:
    """Refuse names in the alphabet's order where that cannot be the pipeline's."""
    types = [step.get("type") if isinstance(step, Mapping) else None for step in pipeline.values()]
    if "PackActionInputs" in types[:-1] and any(types[types.index("PackActionInputs") + 1 :]):
        names = list(pipeline)
        if names == sorted(names):
            raise ValueError(
                f"dataset.pipeline has its steps in the order of the alphabet ({', '.join(names)}):"
                f" MMEngine sorts what it writes. {typed.tool('train.py')} keeps the order in the "
                "work dir's recipe; of a run of another tool, take the recipe that was run"
            )
