"""What a batch of 32 clips of 16 x 224 x 224 costs a GPU: kernels and bytes, counted on a CPU.

`pytest -s tests/motion/test_render_cost.py` prints the figures of `render_torch`'s docstring.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from mmpmg.motion import build_op, render_torch
from mmpmg.motion.render_torch import render_batch

BATCH, FRAMES, SIZE = 32, 16, (224, 224)
#: Operators that start no kernel.
VIEWS = {
    "alias", "detach", "empty", "expand", "lift_fresh", "new_empty", "select", "slice",
    "split_with_sizes", "transpose", "unbind", "unsqueeze", "view", "_unsafe_view",
}  # fmt: skip


class Counter(TorchDispatchMode):
    """Counts the operators that reach a backend."""

    kernels = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.kernels += func.overloadpacket.__name__ not in VIEWS
        return func(*args, **(kwargs or {}))


def cost(ops) -> tuple[int, float]:
    """Return (kernels a batch, bytes a clip at the allocator's peak)."""
    motions = [
        build_op(ops[k % len(ops)]).sample(np.random.default_rng(k), FRAMES, SIZE)
        for k in range(BATCH)
    ]
    images = torch.zeros(BATCH, 3, *SIZE, dtype=torch.uint8)
    partners = images[:, None].expand(-1, 2, -1, -1, -1)
    counter = Counter()
    recording = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
    with recording as profiler, counter:
        render_batch(images, motions, partners)
    events = sorted(profiler.profiler.kineto_results.events(), key=lambda event: event.start_ns())
    changes = np.cumsum([event.nbytes() for event in events if event.name() == "[memory]"])
    return counter.kernels, changes.max() / BATCH


@pytest.mark.parametrize(
    ("ops", "most_kernels", "most_megabytes"),
    [
        (["ZoomInOut", "Affine"], 160, 12),
        (["SmoothDisplacement"], 180, 20),
        pytest.param(["Layered"], 1400, 26, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_kernels_and_memory(monkeypatch, ops, most_kernels, most_megabytes) -> None:
    monkeypatch.setitem(render_torch.PORTION, "cpu", render_torch.PORTION["cuda"])
    kernels, peak = cost(ops)
    print(f"{ops}: {kernels} kernels a batch, {peak / 1e6:.1f} MB a clip")
    assert 16 < kernels <= most_kernels
    assert FRAMES * 3 * SIZE[0] * SIZE[1] < peak <= most_megabytes * 1e6
