"""Lines of MMEngine's log that nobody reads and that hide those somebody should."""

from __future__ import annotations

import logging

_NOISE = (
    "paramwise_options -- ",  # one for each parameter of the model
    '"FileClient" will be deprecated',  # of MMEngine's own CheckpointHook
    '"HardDiskBackend" is the alias',
)


def silence_noise(logger: logging.Logger) -> None:
    """Keep those lines out of a log that does not want everything.

    Args:
        logger: The runner's; at level DEBUG (``log_level="DEBUG"`` in a recipe) it keeps all.
    """
    levels = [handler.level for handler in logger.handlers]  # MMEngine gives the logger none
    if min(levels, default=logging.INFO) > logging.DEBUG:
        logger.addFilter(_says_something)


def _says_something(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_NOISE)
