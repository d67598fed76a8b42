"""Pipelines whose steps have names, so that a recipe can change one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence


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
        ValueError: a step has no type.
    """
    steps = dict(pipeline if isinstance(pipeline, Mapping) else enumerate(pipeline))
    for name, step in steps.items():
        if isinstance(step, Mapping) and "type" not in step:
            raise ValueError(
                f"dataset.pipeline.{name} has no type: either a step of another name was meant, "
                f"one of {', '.join(map(str, steps))}, or its type is missing"
            )
    return [step for step in steps.values() if step is not None]
