"""What stops a preparation, and how many problems one message shows."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 5


class PreparationError(RuntimeError):
    """A data set cannot be prepared; the message says what is wrong and what to do."""


def stop_for(problems: Sequence[str], remedy: str = "") -> None:
    """Raise an error if there are problems.

    Args:
        problems: one sentence each; the first few are shown, the others counted.
        remedy: what to do about them.

    Raises:
        PreparationError: there is a problem.
    """
    if not problems:
        return
    lines = [*problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"... and {len(problems) - _SHOWN} more")
    if remedy:
        lines.append(remedy)
    raise PreparationError("\n".join(lines))
