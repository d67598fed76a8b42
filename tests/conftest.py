from __future__ import annotations

import pytest
import torch

import mmpmg  # noqa: F401  (tests import mmaction.models, which needs the stack mended first)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where there is none."""
    if torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(skip)
