"""Arithmetic of a step against a formula; undoing an optimisation leaves loss and gradients."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mmpmg.evaluation import gains_benchmark, step_measurement
from mmpmg.evaluation.arithmetic import (
    Product,
    best_square,
    block_products,
    count_flops,
    multiplying,
)
from mmpmg.evaluation.arithmetic_benchmark import arithmetic_table
from mmpmg.evaluation.gains_benchmark import DECODER_MASK, Gains, benchmark_gains
from mmpmg.evaluation.step_measurement import (
    measure_steps,
    own_products,
    step_arithmetic,
    step_sides,
    timed_steps,
)
from mmpmg.evaluation.step_models import DECODER_DEPTH, DECODERS, StepSize, training_step
from mmpmg.evaluation.undone_gains import UNDONE, instead, tokens_by_mask
from mmpmg.models.backbones.masked_vit import ARCHITECTURES
from mmpmg.models.tokens import tokens_at

TINY = StepSize("tiny", 4, 64, 2)


@pytest.fixture(scope="module", autouse=True)
def small_encoder():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, "tiny", (24, 3, 3))
        yield


def test_counted_flops_of_a_layer():
    layer = nn.Linear(5, 7)
    x = torch.randn(3, 5, requires_grad=True)
    # Forward, the input's gradient and the weights' gradient.
    assert count_flops(lambda: layer(x).sum()) == 3 * 2 * 3 * 5 * 7


def blocks_flops(tokens: int, width: int, blocks: int) -> int:
    """Forward and backward of transformer blocks: 12 d² weights, two products of attention."""
    linear = 2 * tokens * 12 * width**2
    attention = 2 * 2 * tokens**2 * width
    return 3 * blocks * (linear + attention)


@pytest.mark.parametrize("mask_ratio", [0.5, 0.75])
def test_counted_flops_are_those_of_the_formula(mask_ratio):
    pytest.importorskip("transformers", reason="pip install mmpmg[test]")
    width, depth, _ = ARCHITECTURES["tiny"]
    decoder, _ = DECODERS["tiny"]
    total, values = 2 * 4 * 4, 2 * 16 * 16 * 3
    visible = round(total * (1 - mask_ratio))
    masked = total - visible
    shared = (
        blocks_flops(visible, width, depth)
        + 3 * 2 * visible * width * decoder
        + 3 * 2 * masked * decoder * values
    )
    last = blocks_flops(total, decoder, 1)
    theirs = shared + (DECODER_DEPTH * last) + 2 * 2 * total * values * width
    # In the last block, queries, attention, projection and MLP of masked tokens only.
    spared = 3 * visible * (2 * 10 * decoder**2 + 2 * 2 * total * decoder)
    ours = shared + DECODER_DEPTH * last - spared + 2 * 2 * visible * values * width
    counted = step_arithmetic(TINY, mask_ratio)
    assert counted.theirs == TINY.batch * theirs
    assert counted.ours == TINY.batch * ours


def test_products_of_a_block():
    once = block_products(tokens=6, width=4, blocks=1, batch=2)
    assert sum(p.flops for p in once) == 3 * 2 * 12 * 12 * 4**2
    assert block_products(6, 4, 3, 2) == once * 3
    assert all(12 in p for p in once)


def test_products_of_a_step_are_in_the_proportion_of_its_blocks():
    size = StepSize.parse("base:16:224:2")
    encoder, decoder = block_products(392, 768, 1, 2), block_products(1568, 384, 1, 2)
    assert own_products(size, 392) == encoder * 3 + decoder  # 12 blocks and 4


@pytest.fixture(scope="module")
def timed():
    pytest.importorskip("transformers", reason="pip install mmpmg[test]")
    return timed_steps(TINY, 0.5, "cpu", torch.float32).sides


@pytest.mark.parametrize(("name", "fused"), [("ours", True), ("sdpa", True), ("eager", False)])
def test_each_side_is_timed_with_the_attention_it_is_named_after(timed, name, fused):
    timed["eager" if fused else "sdpa"](0)  # whichever came before
    with torch.profiler.profile() as profiler:
        timed[name](0)
    keys = {event.key for event in profiler.key_averages()}
    assert ("aten::scaled_dot_product_attention" in keys) is fused


def test_both_models_are_timed_while_training():
    pytest.importorskip("transformers", reason="pip install mmpmg[test]")
    for model in step_sides(TINY, 0.5, "cpu")[:2]:
        assert all(module.training for module in model.modules())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_step_starts_without_gradients_and_in_its_precision(dtype):
    layer, seen = nn.Linear(3, 2), []
    x = torch.ones(4, 3)

    def loss():
        out = layer(x)
        seen.append(out.dtype)
        return out.float().sum()

    step = training_step(layer, loss, "cpu", dtype)
    step(0)
    once = layer.weight.grad.clone()
    step(1)
    assert torch.equal(layer.weight.grad, once) and once.abs().sum() > 0
    assert seen == [dtype, dtype]


def test_multiplying_counts_what_it_does(monkeypatch):
    done = []
    monkeypatch.setattr(torch, "mm", lambda a, b: done.append(2 * a.numel() * b.shape[1]))
    side, flops = multiplying([Product(2, 3, 4), Product(5, 6, 7)], "cpu", torch.float32)
    done.clear()
    side(0)
    assert sum(done) == flops and set(done) == {2 * 2 * 3 * 4, 2 * 5 * 6 * 7}


def test_arithmetic_table(monkeypatch):
    pytest.importorskip("transformers", reason="pip install mmpmg[test]")
    monkeypatch.setattr(step_measurement, "best_square", lambda *_: Product(64, 64, 64))
    text = arithmetic_table(measure_steps([TINY], [0.5], "cpu", 1, 1, True), "cpu", 1)
    row = [cell.strip() for cell in re.findall(r"^\|(.*)\|$", text, re.MULTILINE)[2].split("|")]
    assert row[:3] == [str(TINY), "0.5", "float32"]
    ours, theirs, measured, bound = (float(row[k].split()[0]) for k in (5, 6, 7, 8))
    assert ours > 0 and theirs > 0
    # Theirs over ours, once in seconds and once in the arithmetic that fits into their seconds.
    counted = step_arithmetic(TINY, 0.5)
    expected = 100 * counted.theirs / counted.ours / theirs
    rounding = 0.5 / (theirs - 0.5)  # percents are written as integers
    assert bound == pytest.approx(expected, rel=0.01 + rounding)
    assert measured > 0


def test_best_square_is_one_of_them(monkeypatch):
    from mmpmg.evaluation import arithmetic

    monkeypatch.setattr(arithmetic, "SQUARES", {"cpu": (8, 128)})
    assert best_square("cpu", torch.float32, 1) == Product(128, 128, 128)


@pytest.fixture(scope="module")
def gains():
    made = Gains(TINY, 0.75, "cpu", torch.float32)
    made.model.double()
    made.inputs = made.inputs._replace(ours=made.inputs.ours.double())
    return made


def gradients(gains):
    gains.model.zero_grad()
    loss = gains.loss()
    loss.backward()
    return float(loss.detach()), [p.grad for p in gains.model.parameters() if p.grad is not None]


@pytest.mark.parametrize("name", UNDONE)
def test_an_optimisation_undone_gives_the_same_loss_and_gradients(gains, name):
    classes = [type(module) for module in gains.model.modules()]
    loss, expected = gradients(gains)
    with UNDONE[name](gains.model):
        other_loss, found = gradients(gains)
    assert other_loss == pytest.approx(loss, rel=1e-12)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    assert [type(module) for module in gains.model.modules()] == classes


class Operations(TorchDispatchMode):
    """Notes what is computed, and how much of it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        sizes = tuple(t.shape for t in tree_leaves(result) if isinstance(t, torch.Tensor))
        self.seen.append((func, sizes))
        return result


@pytest.mark.parametrize("name", UNDONE)
def test_undoing_changes_what_is_computed(gains, name):
    with Operations() as ours:
        gains.loss()
    with UNDONE[name](gains.model), Operations() as undone:
        gains.loss()
    with Operations() as again:
        gains.loss()
    assert ours.seen == again.seen != undone.seen


def test_what_a_model_lacks_cannot_be_undone():
    with (
        pytest.raises(ValueError, match="no part of Linear"),
        instead((nn.Linear, nn.Bilinear))(nn.GELU()),
    ):
        pass


def test_tokens_by_mask_are_the_tokens():
    clip = torch.randn(2, 3, 4, 32, 32)
    index = torch.tensor([[0, 3, 7], [1, 2, 6]])
    expected = tokens_at(clip, index, (2, 16, 16))
    assert torch.equal(tokens_by_mask(clip, index, (2, 16, 16)), expected)


def test_gains_table_and_weights_that_stay(monkeypatch):
    made = []
    monkeypatch.setattr(
        gains_benchmark, "Gains", lambda *options: made.append(Gains(*options)) or made[-1]
    )
    torch.manual_seed(0)
    text = benchmark_gains([TINY], 0.75, "cpu", 1, 1, torch.float32)
    rows = [[c.strip() for c in row.split("|")] for row in re.findall(r"^\|(.*)\|$", text, re.M)]
    assert [row[0] for row in rows[2:]] == [*UNDONE, *gains_benchmark.OPTIMIZERS, DECODER_MASK]
    assert all(float(row[3].split()[0]) > 0 for row in rows[2:])
    for row in rows[2:-1]:
        kind, difference = row[4].split()[:2]
        assert float(difference) <= (1e-5 if kind == "loss" else 1e-2)
    fresh = Gains(TINY, 0.75, "cpu", torch.float32)
    for before, after in zip(fresh.model.parameters(), made[0].model.parameters()):
        assert torch.equal(before, after)
    assert made[0].model.decoder_masker is None
