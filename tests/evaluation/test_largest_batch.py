"""The search for the largest batch, and its table on a CPU, where nothing runs out."""

from __future__ import annotations

import re

import pytest
import torch

from mmpmg.evaluation import largest_batch
from mmpmg.evaluation.arithmetic import Product
from mmpmg.evaluation.largest_batch import benchmark_largest_batch, largest, step_fits
from mmpmg.evaluation.step_models import StepSize
from mmpmg.models.backbones.masked_vit import ARCHITECTURES

TINY = StepSize("tiny", 4, 32, 7)


@pytest.mark.parametrize("room", [0, 1, 2, 3, 15, 16, 17, 100, 511, 1024, 5000])
def test_the_largest_number_is_found_in_few_tries(room):
    tried = []

    def fits(number):
        tried.append(number)
        return number <= room

    found = largest(fits, 1024)
    expected = min(room, 1024)
    assert found <= expected
    assert expected - found <= expected // 16
    assert len(tried) <= 2 * 11 and max(tried) <= 1024
    assert largest(lambda number: number <= room, 1) == min(room, 1)


def test_running_out_of_memory_is_not_an_error(monkeypatch):
    def burst(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(largest_batch, "lone_step", burst)
    assert not step_fits(TINY, 0.5, "cpu", torch.float32, "ours")


def test_table(monkeypatch):
    pytest.importorskip("transformers", reason="pip install mmpmg[test]")
    monkeypatch.setitem(ARCHITECTURES, "tiny", (24, 2, 3))
    monkeypatch.setattr(largest_batch, "best_square", lambda *_: Product(64, 64, 64))
    text = benchmark_largest_batch([TINY], 0.5, "cpu", torch.float32, 2, limit=2)
    rows = [[c.strip() for c in row.split("|")] for row in re.findall(r"^\|(.*)\|$", text, re.M)]
    assert [row[2:4] for row in rows[2:]] == [["ours", "2"], ["HF sdpa", "2"]]
    rates = [float(row[4].split()[0]) for row in rows[2:]]
    assert rows[2][6] == "" and float(rows[3][6]) == pytest.approx(rates[0] / rates[1], abs=0.01)
    monkeypatch.setattr(largest_batch, "step_fits", lambda *_: False)
    assert "does not fit" in benchmark_largest_batch([TINY], 0.5, "cpu", torch.float32, 1)
