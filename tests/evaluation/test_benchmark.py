"""The plumbing of the benchmark, at sizes that take no time; nothing here asserts a speed."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmpmg.evaluation import (
    finetune_benchmark,
    machine,
    render_benchmark,
    step_benchmark,
    step_measurement,
)
from mmpmg.evaluation.arithmetic import Product
from mmpmg.evaluation.benchmark import BenchmarkOptions, run_benchmark
from mmpmg.evaluation.finetune_benchmark import build_encoders
from mmpmg.evaluation.machine import describe_machine
from mmpmg.evaluation.memory_benchmark import saved_bytes
from mmpmg.evaluation.preprocess_benchmark import benchmark_preprocess
from mmpmg.evaluation.render_benchmark import COLORING, WARPING, noise_image
from mmpmg.evaluation.step_measurement import timed_steps
from mmpmg.evaluation.step_models import (
    StepSize,
    attention_of,
    build_ours,
    build_theirs,
    make_inputs,
    set_attention,
    training_step,
)
from mmpmg.evaluation.timing import (
    alternate,
    limited_threads,
    markdown_table,
    notes,
    ratios,
    spread,
)
from mmpmg.models.backbones.masked_vit import ARCHITECTURES
from mmpmg.motion import OPS, render

TINY = StepSize("tiny", 4, 32, 2)


class Calls:
    """Sides and a clock that advances only when a side works."""

    def __init__(self, seconds):
        self.now = 0.0
        self.log = []
        self.sides = {name: self.side(name, cost) for name, cost in seconds.items()}

    def side(self, name, cost):
        def work(number):
            self.log.append((name, number))
            self.now += cost * (number + 1)

        return work


def cells(table):
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()]


def tables(text):
    return [cells(block) for block in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE)]


def test_sides_take_turns_and_warm_up_is_not_timed():
    calls = Calls({"a": 1.0, "b": 3.0})
    timings = alternate(calls.sides, repeats=3, warmup=2, clock=lambda: calls.now)
    rounds = [1, 2, 0, 1, 2]  # the warm-up sees the last rounds' work
    assert calls.log == [(name, number) for number in rounds for name in "ab"]
    assert timings == {"a": [1.0, 2.0, 3.0], "b": [3.0, 6.0, 9.0]}
    assert ratios(timings, "a", "b") == (3.0, 3.0, 3.0, 3)


def test_ratios_pair_neighbours():
    timings = {"ours": [1.0, 2.0, 4.0], "theirs": [2.0, 2.0, 12.0]}
    assert ratios(timings, "ours", "theirs") == (2.0, 1.0, 3.0, 3)
    assert str(spread([2.0, 1.0, 3.0])) == "2.00 (1.00 to 3.00)"
    assert spread([5.04]).text(".1f", " %") == "5.0 % (one round)"


def test_few_rounds_and_busy_cores_are_told_below_the_table():
    quiet = spread([1.0, 1.1, 1.0, 0.95, 1.05])
    busy = spread([1.0, 1.15, 1.0, 0.94, 1.05])
    assert notes([quiet]) == ""
    assert "spread > 20 % (up to 21 %)" in notes([quiet, busy])
    assert "rounds" not in notes([busy])
    assert notes([quiet, spread([1.0] * 4)]).strip().startswith("Fewer than 5 rounds")


def test_no_rounds_is_refused():
    with pytest.raises(ValueError, match="repeats 0 must be >= 1"):
        alternate({}, repeats=0)


def test_threads_are_given_back_after_an_error():
    before = torch.get_num_threads(), cv2.getNumThreads()
    other = before[0] + 1
    with pytest.raises(ZeroDivisionError), limited_threads(other):
        assert 1 / (torch.get_num_threads() - other)
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before
    with limited_threads(other):
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (other, other)


def test_table_refuses_ragged_rows():
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"
    with pytest.raises(ValueError, match="2 columns"):
        markdown_table(["a", "b"], [["1"]])


@pytest.mark.parametrize("family", WARPING)
@pytest.mark.parametrize("seed", range(3))
def test_grid_sample_loop_does_the_same_work(family, seed):
    size = (40, 56)
    image = noise_image(size)
    motion = OPS[family]().sample(np.random.default_rng(seed), 4, size)
    ours = render(image, motion).astype(int)
    theirs = render_benchmark.grid_sample_loop(image, motion).numpy().astype(int)
    assert ours.shape == theirs.shape
    # Rounding per frame here, once there; the rim of the border may fall either way.
    assert (np.abs(ours - theirs) <= 2).mean() > 0.98


@pytest.mark.parametrize("family", render_benchmark.BEYOND)
@pytest.mark.parametrize("seed", range(3))
def test_grid_sample_loop_lays_parts_and_bends_as_we_do(family, seed):
    size = (40, 56)
    images = [noise_image(size, number) for number in range(3)]
    motion = OPS[family]().sample(np.random.default_rng(seed), 4, size)
    ours = render(images[0], motion, images[1:]).astype(int)
    theirs = render_benchmark.grid_sample_loop(images[0], motion, images[1:]).numpy().astype(int)
    # A picture's own edge is repeated here and black there.
    assert (np.abs(ours - theirs) <= 2).mean() > 0.98


@pytest.mark.parametrize("family", COLORING)
@pytest.mark.parametrize("seed", range(3))
def test_torchvision_loop_does_the_same_work(family, seed):
    pytest.importorskip("torchvision", reason="pip install mmpmg[test]")
    size = (24, 32)
    image = noise_image(size)
    motion = OPS[family]().sample(np.random.default_rng(seed), 4, size)
    ours = render(image, motion).astype(int)
    theirs = render_benchmark.torchvision_loop(image, motion).numpy().astype(int)
    # torchvision truncates and keeps hue in 8 bits.
    assert np.abs(ours - theirs).mean() < 4


def test_render_table_has_a_positive_ratio_for_each_family():
    text = render_benchmark.benchmark_render(3, (40, 48), repeats=2)
    head, _, *rows = tables(text)[0]
    assert head == render_benchmark.HEAD
    assert [row[0] for row in rows] == [*WARPING, *COLORING, *render_benchmark.BEYOND]
    assert "Fewer than 5 rounds" in text
    for row in rows[: len(WARPING)]:
        assert all(float(n) > 0 for n in re.findall(r"[\d.]+", " ".join(row[2:])))


def test_speeds_and_their_ratio_are_of_all_rounds_and_the_aim_is_judged_by_the_median():
    # Two cheap motions on which theirs is quicker, three on which ours is six times as fast.
    timings = {"ours": [1.0, 1.0, 0.5, 0.5, 0.5], "theirs": [0.5, 0.5, 3.0, 3.0, 3.0]}
    assert render_benchmark.compare(timings)[:3] == [
        "1.4",
        "0.5",
        "2.86",
    ]  # 5 / 3.5, 5 / 10, 10 / 3.5
    assert render_benchmark.compare(timings)[3:] == ["6.00 (0.50 to 6.00)", "met"]
    timings["theirs"][4] = 2.0
    timings["theirs"][3] = 2.0
    assert render_benchmark.compare(timings)[3:] == ["4.00 (0.50 to 6.00)", "missed"]


def test_busy_cores_are_told(monkeypatch):
    monkeypatch.setattr(machine, "usable_cores", lambda: 4)
    assert machine.describe_load(2.0) == "2.0 on 4 cores"
    assert machine.describe_load(2.1).startswith("2.1 on 4 cores: **busy")


def test_broken_torchvision_leaves_the_rest(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    text = render_benchmark.benchmark_render(2, (40, 40), repeats=1)
    rows = {row[0]: row for row in tables(text)[0]}
    assert rows["FadeInOut"][-2].startswith("not measured")
    assert float(rows["Affine"][2]) > 0


@pytest.fixture(scope="module")
def models():
    pytest.importorskip("transformers", reason="pip install mmpmg[test]")
    ours, theirs = build_ours(TINY, 0.5), build_theirs(TINY)
    return ours, theirs, make_inputs(ours, TINY, "cpu")


def test_models_have_the_same_parameters(models):
    counts = [sum(p.numel() for p in model.parameters()) for model in models[:2]]
    assert counts[0] == counts[1]


def test_both_see_the_same_clips_and_mask_the_same_tokens(models):
    ours, theirs, inputs = models
    assert torch.equal(inputs.ours[:, 0].transpose(1, 2), inputs.theirs)
    drawn = ours.draw(inputs.ours.flatten(0, 1), inputs.samples)
    assert torch.equal(drawn.mask, inputs.mask)
    with torch.no_grad():
        predicted = theirs(inputs.theirs, bool_masked_pos=inputs.mask).logits
        _, reconstructed = ours.reconstruct(inputs.ours.flatten(0, 1), inputs.samples)
    assert predicted.shape == reconstructed["pixel"].shape
    assert predicted.shape[1] == drawn.masked.shape[1] == int(inputs.mask[0].sum())


@pytest.mark.parametrize("name", ["eager", "sdpa"])
def test_attention_reaches_encoder_and_decoder(models, name):
    _, theirs, inputs = models
    set_attention(theirs, name)
    assert attention_of(theirs) == {name}
    with torch.profiler.profile() as profiler:
        theirs(inputs.theirs, bool_masked_pos=inputs.mask)
    counts = {event.key: event.count for event in profiler.key_averages()}
    layers = len(theirs.videomae.encoder.layer) + len(theirs.decoder.decoder_layers)
    fused = counts.get("aten::scaled_dot_product_attention", 0)
    assert fused == (layers if name == "sdpa" else 0)


def test_step_trains_every_parameter():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    before = [p.clone() for p in model.parameters()]
    x = torch.randn(4, 3)
    step = training_step(model, lambda: model(x).square().mean(), "cpu", torch.float32)
    step(0)
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters()))


def test_saved_bytes_counts_activations_once():
    layer = torch.nn.Linear(5, 5, bias=False)
    x = torch.randn(7, 5)
    # tanh keeps its result; the second product keeps the same storage again; x is an input.
    assert saved_bytes(lambda: layer(torch.tanh(layer(x))), [layer.weight, x]) == 7 * 5 * 4


def test_size_is_read_and_mistakes_are_named():
    assert StepSize.parse("small:16:112:4") == ("small", 16, 112, 4)
    for text in ("small", "small:16:112", "giant:16:112:4", "small:16:x:4"):
        with pytest.raises(ValueError, match=f"'{text}' is not arch:frames:side:batch"):
            StepSize.parse(text)


def test_whole_report(models):
    shown = []
    options = BenchmarkOptions(
        parts=["render", "index", "step"], repeats=1, threads=1, sizes=["tiny:4:32:1"],
        mask_ratios=[0.5], clip=(2, 40, 40), profile=True, files=2100,
    )  # fmt: skip
    run_benchmark(options, ["--repeats", "1"], shown.append)
    text = "\n".join(shown)
    assert "`python tools/benchmark.py --repeats 1`" in text
    assert f"torch {torch.__version__.split('+')[0]}" in text
    _, steps, profile, index = tables(text)
    assert [row[0] for row in index[2:]] == ["first", "second"]
    assert all(float(cell) >= 0 for row in index[2:] for cell in row[1:])
    assert all(float(row[3]) >= float(row[2]) for row in index[2:])
    assert steps[0] == step_benchmark.STEP_HEAD
    measured = steps[2:-1]
    assert len(measured) == 2 and sum("(its default)" in row[4] for row in measured) == 1
    assert all(float(number) > 0 for row in measured for number in row[5:7])
    assert steps[-1][-1] == "not run yet"
    own = [float(row[1]) for row in profile[2:-1]]
    assert own == sorted(own, reverse=True) and own[0] > 0
    assert float(profile[-1][1]) >= sum(own) - 1


def test_step_and_arithmetic_are_one_measurement(models, monkeypatch):
    monkeypatch.setattr(step_measurement, "best_square", lambda *_: Product(64, 64, 64))
    built = []
    monkeypatch.setattr(
        step_measurement, "timed_steps",
        lambda *given: built.append(given) or timed_steps(*given),
    )  # fmt: skip
    shown, told = [], []
    options = BenchmarkOptions(
        parts=["arithmetic", "step"], repeats=2, threads=1, sizes=["tiny:4:32:1"], mask_ratios=[0.5]
    )
    run_benchmark(options, [], shown.append, told.append)
    steps, arithmetic = tables("\n".join(shown))
    assert len(built) == 1 and sum("tiny" in line for line in told) == 1
    assert arithmetic[2][7] == next(row[7] for row in steps[2:] if row[4].startswith("HF sdpa"))
    alone = []
    run_benchmark(replace(options, parts=["arithmetic"]), [], alone.append)
    assert len(tables("\n".join(alone))) == 1


def test_batch_of_one_is_told():
    text = benchmark_preprocess([TINY._replace(batch=1)], "cpu", 1, 1, torch.float32)
    assert "batch 2" in text and "A batch of 1 is measured as one of 2" in text
    assert "one round" in text and "Fewer than 5 rounds" in text


def test_unknown_part_and_absent_gpu_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="rendr: no such part"):
        run_benchmark(BenchmarkOptions(parts=["rendr"]), [])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="--files 0"):
        run_benchmark(BenchmarkOptions(parts=["index"], files=0), [])
    with pytest.raises(ValueError, match="torch sees no GPU"):
        run_benchmark(BenchmarkOptions(device="cuda"), [])


def test_record_without_git(monkeypatch):
    def absent(*args, **kwargs):
        raise OSError

    monkeypatch.setattr(subprocess, "run", absent)
    text = describe_machine([], "cpu")
    assert "commit: unknown" in text
    assert str(Path.home()) not in text


def test_fine_tuning_is_compared_on_equal_outputs(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "tiny", (24, 2, 3))
    shown = []
    options = BenchmarkOptions(parts=["finetune"], repeats=1, threads=1, sizes=["tiny:4:32:2"])
    run_benchmark(options, [], shown.append)
    (table,) = tables(shown[-1])
    assert float(table[2][5]) <= 1e-5 and float(table[2][2]) > 0
    assert table[-1][4] == "not run yet"
    ours, theirs = build_encoders(TINY)
    with torch.no_grad():
        theirs.fc_norm.bias += 1
    monkeypatch.setattr(finetune_benchmark, "build_encoders", lambda size: (ours, theirs))
    with pytest.raises(RuntimeError, match="not the same model"):
        run_benchmark(options, [], shown.append)
