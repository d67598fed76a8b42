"""Whether a clip is rendered by the data worker or left to the model's device."""

from __future__ import annotations

import torch


def resolve_deferred(name: str, deferred: bool | str) -> bool:
    """Decide where clips are rendered.

    Args:
        name: The transform that asks, for the message.
        deferred: True: by the model's data preprocessor; False: by the worker; ``'auto'``: by the
            data preprocessor where there is a GPU. On a CPU OpenCV, in the worker, is the faster
            renderer.

    Returns:
        True if the worker leaves it to the device.

    Raises:
        ValueError: Any other value.
    """
    if deferred == "auto":
        return torch.cuda.is_available()
    if not isinstance(deferred, bool):
        raise ValueError(
            f"{name}: deferred={deferred!r} must be True, False or 'auto' "
            "(train_dataloader.dataset.pipeline.motion.deferred)"
        )
    return deferred
