"""Numbers of the host on their way to a device, without anybody waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def to_device(
    values: np.ndarray | Tensor | Sequence[Any], device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Copy host numbers to a device.

    Args:
        values: An array or tensor, or numbers that make one.
        device: Where they go. From pinned memory, so that the copy runs behind the host's back.
        dtype: What they become, on the host.

    Returns:
        A tensor of their shape on the device.
    """
    if not isinstance(values, Tensor):
        values = torch.as_tensor(np.asarray(values))
    tensor = values.to(dtype)
    if device.type == "cuda" and not tensor.is_cuda:
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
