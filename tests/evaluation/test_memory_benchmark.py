from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import torch
from torch import nn

from mmpmg.evaluation import memory_benchmark
from mmpmg.evaluation.memory_benchmark import (
    BATCH,
    SIDES,
    StepBytes,
    build_side,
    peak_of_process,
    saved_bytes,
    step_bytes,
)
from mmpmg.evaluation.step_models import StepSize
from mmpmg.models.recomputed_linear import as_on_gpu

pytest.importorskip("transformers", reason="pip install mmpmg[test]")
SIZE = StepSize.parse("tiny:4:32:2")


def test_bytes_of_a_layer_by_hand():
    layer = nn.Linear(8, 4)
    x = torch.zeros(5, 8)
    # The input is known, the exponential keeps its result: 5 x 4 numbers of 4 bytes.
    assert saved_bytes(lambda: layer(x).exp(), [*layer.parameters(), x]) == 5 * 4 * 4


def test_fixed_part_is_four_times_the_weights_and_the_rest_is_linear():
    model, loss = build_side("ours", SIZE._replace(batch=3), 0.75)
    found = step_bytes("ours", SIZE, 0.75, torch.float32)
    weights = 4 * sum(p.numel() for p in model.parameters())
    with as_on_gpu():
        kept = saved_bytes(loss, list(model.parameters()))
    assert found.total(3) == pytest.approx(4 * weights + kept, rel=0.01)
    assert found.fixed == pytest.approx(16 * sum(p.numel() for p in model.parameters()), rel=0.02)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_ours_keeps_at_most_seven_tenths_of_hugging_face_s(dtype):
    clip = {side: step_bytes(side, SIZE, 0.75, dtype).clip for side in SIDES}
    assert clip["ours"] <= 0.7 * clip["HF sdpa"] < 0.7 * clip["HF eager"]
    assert clip["ours, with_cp"] < 0.6 * clip["ours"]


def test_low_precision_is_counted_as_such():
    low, full = (step_bytes("ours", SIZE, 0.75, d) for d in (torch.bfloat16, torch.float32))
    assert 0.4 * full.clip < low.clip < 0.75 * full.clip
    assert low.fixed > full.fixed, "autocast's copies of the weights"


@pytest.fixture(scope="module")
def elsewhere():
    """A process of its own: this one would keep the gigabytes of a large step to its end."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield pool


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_whole_step_of_the_main_recipe_takes_at_most_seven_tenths(elsewhere, dtype):
    size = StepSize.parse("base:16:224:1")
    ours, theirs = (
        elsewhere.submit(step_bytes, side, size, 0.75, dtype).result().total(BATCH)
        for side in ("ours", "HF sdpa")
    )
    assert ours <= 0.7 * theirs


def test_rows_compare_the_whole_batch_and_name_what_fits(monkeypatch):
    made = {side: StepBytes(10**9, 10**8 * (1 + i)) for i, side in enumerate(SIDES)}
    monkeypatch.setattr(memory_benchmark, "step_bytes", lambda side, *_: made[side])
    monkeypatch.setattr(memory_benchmark, "peak_of_process", lambda *_: 1)
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in memory_benchmark.benchmark_memory([SIZE], [0.75]).splitlines()
        if line.startswith("| ViT") and "float" in line
    ]
    assert [row[2] for row in rows] == 2 * list(SIDES)
    # 32 clips: 4.2, 7.4, 10.6 (HF sdpa), ... GB; 36 of 40 GB less one leave room for 350, 175, ...
    assert [row[6] for row in rows[:5]] == ["0.40", "0.70", "1.00", "1.30", "1.60"]
    assert [row[7] for row in rows[:5]] == ["350", "175", "116", "87", "70"]


def test_largest_batch_fits_and_one_more_does_not():
    step = StepBytes(fixed=1000, clip=300)
    memory = 10_000
    batch = step.largest_batch(memory)
    assert step.total(batch) <= 0.9 * memory < step.total(batch + 1)
    assert StepBytes(10**12, 1).largest_batch() == 0


def test_peak_of_a_real_process_holds_what_was_counted():
    counted = step_bytes("ours", SIZE, 0.75, torch.float32).total(SIZE.batch)
    # This process was larger once; Linux would tell its child so.
    large = torch.ones(600_000_000, dtype=torch.float32)
    assert large[-1] == 1
    del large
    assert counted < peak_of_process("ours", SIZE, 0.75, steps=1) < 2.4e9


def test_unknown_side_names_those_there_are():
    with pytest.raises(ValueError, match="HF eager"):
        build_side("theirs", SIZE, 0.75)


def test_every_part_of_a_memory_measurement_is_told_before_it_starts(monkeypatch):
    events = []
    for name, found in (("step_bytes", StepBytes(1000, 10)), ("peak_of_process", 1000)):
        monkeypatch.setattr(
            memory_benchmark, name, lambda *_, name=name, found=found: events.append(name) or found
        )
    memory_benchmark.benchmark_memory([SIZE], [0.75], lambda what: events.append(what))
    assert len(events) == 2 * (2 * len(SIDES) + 3)
    assert all("memory, ViT tiny" in told for told in events[::2])
    assert events[1::2] == ["step_bytes"] * 2 * len(SIDES) + ["peak_of_process"] * 3
