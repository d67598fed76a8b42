"""How much memory a pre-training step takes, beside Hugging Face's VideoMAE.

Counted, not estimated, where it can be: weights, gradients and AdamW's two moments from the
parameters, and what the forward pass keeps for the backward pass from autograd's own hooks, in the
precision of the step (bf16 autocast works on a CPU as well). A device's peak lies a little above:
the temporaries of one layer, which the allocator has besides.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mmpmg.evaluation.progress import Say, silent
from mmpmg.evaluation.step_models import (
    StepSize,
    build_ours,
    build_theirs,
    make_inputs,
    set_attention,
    training_step,
)
from mmpmg.evaluation.timing import markdown_table
from mmpmg.models.recomputed_linear import as_on_gpu

SIDES = ("ours", "ours, with_cp", "HF sdpa", "HF eager", "HF sdpa, checkpointing")
BATCH = 32
HEAD = ["step", "precision", "side", "whatever the batch, MB", "each clip, MB",
        f"{BATCH} clips, MB", "of HF sdpa", "clips in 40 GB"]  # fmt: skip
RSS_HEAD = ["step", "side", "peak of the process, MB", "of HF sdpa"]
MEGABYTE = 1e6
GPU_BYTES = 40e9
RESERVE = 0.1
"""Share of the GPU left for temporaries, CUDA itself and what the allocator cannot use."""


class StepBytes(NamedTuple):
    """Bytes of a training step: ``fixed + batch * clip``."""

    fixed: int
    """Weights, gradients, AdamW's two moments, and low-precision copies of weights."""
    clip: int
    """What the forward pass keeps of each clip for the backward pass."""

    def total(self, batch: int) -> int:
        """Bytes of a step with so many clips."""
        return self.fixed + batch * self.clip

    def largest_batch(self, memory: float = GPU_BYTES) -> int:
        """Clips of which a step fits into so many bytes, less `RESERVE`; 0 if none."""
        return max(0, int((memory * (1 - RESERVE) - self.fixed) / self.clip))


def saved_bytes(forward: Callable[[], object], known: Sequence[Tensor]) -> int:
    """Count the bytes that a forward pass keeps for the backward pass.

    Args:
        forward: Runs it and returns the result.
        known: Parameters and inputs, which exist anyway. Each other storage counts once.
    """
    places = {tensor.untyped_storage().data_ptr() for tensor in known}
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in places:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        # The result holds the graph, and so every storage stays alive while others are counted.
        result = forward()
        total = sum(storages.values())
        del result
    return total


def build_side(side: str, size: StepSize, mask_ratio: float) -> tuple[nn.Module, Any]:
    """Build one of `SIDES` and the function that computes its loss.

    Raises:
        ValueError: No such side.
    """
    if side not in SIDES:
        raise ValueError(f"side {side!r} is unknown; it is one of {', '.join(SIDES)}")
    torch.manual_seed(0)
    ours = build_ours(size, mask_ratio)
    inputs = make_inputs(ours, size, "cpu")
    if side.startswith("ours"):
        for part in (ours.backbone, *ours.necks.values()):
            part.with_cp = side.endswith("with_cp")
        ours.train()
        return ours, lambda: ours(inputs.ours, inputs.samples, mode="loss")["loss_pixel"]
    theirs = build_theirs(size)
    set_attention(theirs, "eager" if side == "HF eager" else "sdpa")
    if side.endswith("checkpointing"):
        theirs.gradient_checkpointing_enable(dict(use_reentrant=False))
    theirs.train()
    return theirs, lambda: theirs(inputs.theirs, bool_masked_pos=inputs.mask).loss


def step_bytes(
    side: str, size: StepSize, mask_ratio: float, dtype: torch.dtype = torch.bfloat16
) -> StepBytes:
    """Count on the CPU the bytes of a step on a GPU, with one clip and with two.

    Args:
        side: Of `SIDES`.
        size: Architecture; its batch does not matter.
        mask_ratio: In (0, 1).
        dtype: bfloat16 for autocast, or float32.
    """
    kept = []
    for batch in (1, 2):
        model, loss = build_side(side, size._replace(batch=batch), mask_ratio)
        parameters = list(model.parameters())
        with as_on_gpu(), torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            kept.append(saved_bytes(loss, parameters))
    weights = sum(p.numel() * p.element_size() for p in parameters)
    clip = kept[1] - kept[0]
    return StepBytes(4 * weights + kept[0] - clip, clip)


def peak_of_process(side: str, size: StepSize, mask_ratio: float, steps: int = 2) -> int:
    """Run float32 steps in a process of their own and return its peak resident memory in bytes."""
    code = (
        "import sys, mmpmg; from mmpmg.evaluation.memory_benchmark import run_and_tell; "
        "run_and_tell(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))"
    )
    spec = f"{size.arch}:{size.num_frames}:{size.side}:{size.batch}"
    command = [sys.executable, "-c", code, side, spec, str(mask_ratio), str(steps)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout.split()[-1])


def run_and_tell(side: str, size: str, mask_ratio: float, steps: int) -> None:
    """What `peak_of_process` runs: take steps, print the peak in bytes."""
    model, loss = build_side(side, StepSize.parse(size), mask_ratio)
    step = training_step(model, loss, "cpu", torch.float32)
    for number in range(steps):
        step(number)
    print(own_peak())


def own_peak() -> int:
    """Return the largest resident memory that this program has had, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # not Linux; macOS counts in bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Not ru_maxrss: Linux hands it on from the process that started this one.
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def benchmark_memory(
    sizes: Sequence[StepSize], mask_ratios: Sequence[float], say: Say = silent
) -> str:
    """Tabulate the memory of whole steps, as Markdown: counted, and peaks of CPU processes.

    Args:
        sizes: Architectures; batches of the processes, while counts are for `BATCH`.
        mask_ratios: In (0, 1).
        say: Told what is measured next.
    """
    rows, peaks = [], []
    for size in sizes:
        for ratio in mask_ratios:
            for dtype in (torch.bfloat16, torch.float32):
                counted = {}
                for side in SIDES:
                    say(f"memory, {size}, mask {ratio:g}: counting {side} in {str(dtype)[6:]}")
                    counted[side] = step_bytes(side, size, ratio, dtype)
                for side, found in counted.items():
                    rows.append(
                        [f"{size}, mask {ratio:g}", str(dtype)[6:], side,
                         f"{found.fixed / MEGABYTE:.0f}",
                         f"{found.clip / MEGABYTE:.1f}",
                         f"{found.total(BATCH) / MEGABYTE:.0f}",
                         f"{found.total(BATCH) / counted['HF sdpa'].total(BATCH):.2f}",
                         str(found.largest_batch())]
                    )  # fmt: skip
            processes = {}
            for side in SIDES[:3]:
                say(f"memory, {size}, mask {ratio:g}: two steps of {side} in a process of its own")
                processes[side] = peak_of_process(side, size, ratio)
            for side, peak in processes.items():
                share = peak / processes["HF sdpa"]
                peaks.append(
                    [f"{size}, mask {ratio:g}", side, f"{peak / MEGABYTE:.0f}", f"{share:.2f}"]
                )
    return (
        "### Memory of a pre-training step, counted\n\n"
        f"{markdown_table(HEAD, rows)}\n\n"
        "### Peak of a CPU process that takes steps, float32\n\n"
        f"{markdown_table(RSS_HEAD, peaks)}"
    )
