"""What the benchmark of motion maps says of maps that are known; nothing here asserts speed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mmpmg.evaluation import motion_map_benchmark
from mmpmg.evaluation.motion_map_benchmark import (
    FAMILIES,
    TRACKERS,
    benchmark_motion_maps,
    moving_shares,
    overlap,
)


def test_shares_are_those_of_all_cells_from_the_threshold_on():
    maps = [np.array([[0.0, 0.5]]), np.array([[1.0, 2.0], [0.4, 0.0]])]
    assert moving_shares(maps, (0.25, 0.5, 1.0, 3.0)) == pytest.approx([4 / 6, 3 / 6, 2 / 6, 0])


def test_overlap_by_hand():
    found = [np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.5, 0.2])]
    exact = [np.array([1.0, 0.0, 0.0]), np.array([2.0, 0.5, 0.2])]
    assert overlap(found, exact, 0.5) == pytest.approx((2 / 4, 2 / 3))
    assert overlap(found, found, 0.5) == (1.0, 1.0)
    assert overlap(found, exact, 9.0) == (1.0, 1.0), "nothing moves, and nothing is found"


def test_every_family_and_every_tracker_has_its_row(monkeypatch):
    monkeypatch.setattr(motion_map_benchmark, "DRAWS", 1)
    text = benchmark_motion_maps((4, 64, 64), 1)
    for name in FAMILIES:
        assert len(re.findall(rf"^\| {name} \|.*\| \d+ \|$", text, re.MULTILINE)) == 1
    for name in TRACKERS:
        assert len(re.findall(rf"^\| {re.escape(name)} \|", text, re.MULTILINE)) == 2
