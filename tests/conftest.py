from __future__ import annotations

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.visualization import Visualizer

import mmpmg  # noqa: F401  (tests import mmaction.models, which needs the stack mended first)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where there is none."""
    if torch.cuda.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _nothing_shared_by_name() -> None:
    """Let no test take over what an earlier one left under the same name.

    MMEngine keeps message hubs and visualizers by the name of the run, which is the
    second in which the run was built: two runs of one second would share them.
    """
    for shared in (MessageHub, Visualizer, *Visualizer.__subclasses__()):
        shared._instance_dict.clear()
