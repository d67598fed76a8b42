"""Exact arithmetic: close to the true functions, and built of nothing that machines differ in."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest

import mmpmg.synthesis as synthesis
from mmpmg.synthesis.exact_math import (
    angle,
    cosine,
    direction,
    edge,
    fall,
    fraction,
    rotated,
    sine,
)

ROOM = Path(synthesis.__file__).parent
DRAWN_BY = (
    "coordinates", "exact_math", "fields", "fractal_fields", "grammar", "layer", "noise",
    "noise_fields", "palette", "random_stream", "shader", "surfaces", "tile_fields",
    "trackability", "wave_fields",
)  # fmt: skip
# What IEEE 754 or whole numbers fix to the last bit, and what computes nothing.
EXACT = {
    "abs", "add", "arange", "asarray", "bincount", "broadcast_arrays", "copysign", "copyto",
    "divide", "empty", "float32", "floor", "full", "full_like", "int32", "int64", "intp", "maximum",
    "mgrid", "minimum", "multiply", "ndarray", "partition", "rint", "roll", "sqrt", "stack",
    "subtract", "take", "uint32", "uint8", "where", "zeros_like",
}  # fmt: skip


@pytest.mark.parametrize("module", DRAWN_BY)
def test_only_exact_functions_of_numpy_are_called(module):
    tree = ast.parse((ROOM / f"{module}.py").read_text())
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "np"
    }
    assert used <= EXACT
    from_math = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("math", "cv2", "random")
    }
    assert from_math <= {"sqrt"}
    powers = {
        ast.unparse(node.left)
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
    }
    assert powers <= {"2.0", "3 * _SLOPE", "2"}  # of two, and of whole numbers


def test_sums_over_pixels_are_of_whole_numbers():
    """`sum` and `mean` add in an order that depends on the processor; only integers may."""
    for module in DRAWN_BY:
        for node in ast.walk(ast.parse((ROOM / f"{module}.py").read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "sum", module  # of floats: another result in Python 3.11
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in ("mean", "std", "dot", "cumsum"), module
                if node.func.attr == "sum":
                    assert module == "trackability"


def test_sine_and_cosine():
    turns = np.linspace(-40, 40, 100_001).astype(np.float32)
    true = 2 * np.pi * turns.astype(np.float64)
    assert np.abs(sine(turns) - np.sin(true)).max() < 0.0012
    assert np.abs(cosine(turns) - np.cos(true)).max() < 0.0012
    assert sine(turns).dtype == np.float32
    np.testing.assert_array_equal(sine(-turns), -sine(turns))


def test_angle():
    true = np.linspace(-math.pi, math.pi, 10_001)[1:-1]
    x, y = (5 * np.cos(true)).astype(np.float32), (5 * np.sin(true)).astype(np.float32)
    assert np.abs(angle(x, y) * 2 * np.pi - true).max() < 0.0045
    zero = np.zeros(1, np.float32)
    assert angle(zero, zero)[0] == 0
    assert angle(zero - 1, zero)[0] == 0.5


def test_direction_is_cosine_and_sine():
    for turns in np.linspace(-3, 3, 1001):
        c, s = direction(float(turns))
        assert c == pytest.approx(math.cos(2 * math.pi * turns), abs=1e-11)
        assert s == pytest.approx(math.sin(2 * math.pi * turns), abs=1e-11)


def test_rotated_is_the_projection():
    x, y = np.float32([[1, 0, 3]]), np.float32([[0, 1, 4]])
    for turns in (0.1, 0.4, 0.85):
        c, s = math.cos(2 * math.pi * turns), math.sin(2 * math.pi * turns)
        np.testing.assert_allclose(rotated(x, y, turns, 2), 2 * (c * x + s * y), rtol=1e-5)


def test_edge_falls_and_fractions():
    values = np.linspace(-2, 2, 401).astype(np.float32)
    step = edge(values, 0.5)
    assert (np.diff(step) >= 0).all()
    assert step[0] == 0 and step[-1] == 1 and step[200] == pytest.approx(0.5)
    assert (step[np.abs(values) > 0.26] % 1 == 0).all()
    near = np.linspace(0, 0.5, 100).astype(np.float32)
    assert np.abs(fall(near) - np.exp(-near)).max() < 0.02
    np.testing.assert_allclose(fraction(values), values - np.floor(values))
