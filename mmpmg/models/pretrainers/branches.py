"""What a recipe's ``model.branches`` may say."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = {"neck", "head"}


def given_branches(branches: Mapping[str, dict | None]) -> dict[str, dict]:
    """Drop the branches that a delta took out, and refuse what is none.

    Args:
        branches: name -> dict(neck=..., head=...), or None for a base's branch that is taken out.

    Returns:
        The others, in their order.

    Raises:
        ValueError: There are none, or one that is not a neck and a head.
    """
    given = {name: branch for name, branch in branches.items() if branch is not None}
    for name, branch in given.items():
        if not isinstance(branch, Mapping):
            raise ValueError(
                f"model.branches.{name}={branch!r} is no branch: give "
                "dict(neck=..., head=...), or None to take it out"
            )
        if set(branch) != PARTS:
            raise ValueError(
                f"model.branches.{name} has {', '.join(branch) or 'nothing'}; it takes exactly "
                "a neck (decoder) and a head"
            )
    if not given:
        raise ValueError(
            "model.branches is empty: give at least one, e.g. "
            "dict(pixel=dict(neck=dict(type='MAEDecoder'), head=dict(...)))"
        )
    return given


def decoder_owners(branches: dict[str, dict]) -> dict[str, str]:
    """Say whose decoder each branch reads: its own, or that of the branch its neck names.

    Args:
        branches: Of `given_branches`; a ``neck`` is a config or the name of another branch.

    Returns:
        name -> name of the branch that has the decoder.

    Raises:
        ValueError: A neck names no branch, or one that has no decoder of its own.
    """
    own = [name for name, branch in branches.items() if not isinstance(branch["neck"], str)]
    owners = {}
    for name, branch in branches.items():
        owners[name] = name if name in own else branch["neck"]
        if owners[name] not in own:
            raise ValueError(
                f"model.branches.{name}.neck={owners[name]!r} names no branch with a decoder of "
                f"its own; those are: {', '.join(own) or 'none'}. A decoder is "
                "neck=dict(type='MAEDecoder', ...)"
            )
    return owners
