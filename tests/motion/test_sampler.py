import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from mmpmg.motion import OPS, Motion, MotionSampler


def families(sampler, seeds=600):
    return Counter(
        sampler.sample(np.random.default_rng(s), 2, (48, 48)).family for s in range(seeds)
    )


def test_the_default_is_the_papers_best_set_equally_often():
    counts = families(MotionSampler())
    assert set(counts) == {"ZoomInOut", "Affine"}
    assert 240 < counts["Affine"] < 360


def test_weights_are_relative_frequencies():
    ops = {
        "a": {"type": "Affine", "weight": 3},
        "z": {"type": "ZoomInOut"},
        "never": {"type": "CutMix", "weight": 0},
    }
    sampler = MotionSampler(ops)
    counts = families(sampler)
    assert set(counts) == {"ZoomInOut", "Affine"}
    assert counts["Affine"] == pytest.approx(450, abs=50)
    assert sampler.num_partners == 0
    assert MotionSampler({"c": "CutMix", "a": "Affine"}).num_partners == 1
    assert MotionSampler({"c": "CutMix", "l": "Layered"}).num_partners == 2


def test_none_drops_an_op():
    assert set(families(MotionSampler({"z": {"type": "ZoomInOut"}, "a": None}))) == {"ZoomInOut"}


def test_a_list_of_names_works():
    assert set(families(MotionSampler(list(OPS)))) == set(OPS)


def test_compose_applies_all_ops_in_order():
    sampler = MotionSampler(
        {"z": {"type": "ZoomInOut"}, "c": {"type": "ColorJitter"}, "m": {"type": "CutMix"}},
        mode="compose",
    )
    motion = sampler.sample(np.random.default_rng(0), 4, (16, 16))
    assert motion.family == "ZoomInOut+ColorJitter+CutMix"
    assert motion.color_ops
    assert motion.paste is not None


def test_options_reach_the_op():
    sampler = MotionSampler({"a": {"type": "Affine", "border": 7, "rotation": [3.0, 3.0]}})
    assert sampler.ops["a"].rotation == (3.0, 3.0)
    assert sampler.sample(np.random.default_rng(0), 2, (16, 16)).border == (7, 7, 7)


@pytest.mark.parametrize(
    ("ops", "mode", "told"),
    [
        ({}, "one", "no motion to choose from"),
        ({"a": None}, "one", "no motion to choose from"),
        ({"a": {"type": "Affine", "weight": 0}}, "one", "weight above 0"),
        ({"a": {"type": "Affine", "weight": -1}}, "one", "a.weight=-1"),
        ({"a": {"type": "Afine"}}, "one", "Identity, SlidingWindow, ZoomInOut, FadeInOut, Affine"),
        ({"a": {"type": "Afine"}}, "one", "did you mean 'Affine'"),
        ({"a": {"type": "Sway"}}, "one", r"^ops: a: type='Sway' .*OPS\[.*custom_imports"),
        ({"a": {"rotation": (-1, 1)}}, "one", "type=None is no motion"),
        ({"a": {"type": "Affine", "rotatoin": (-1, 1)}}, "one", "a: Affine has no option rotatoin"),
        ({"a": {"type": "Identity", "x": 1}}, "one", "its options are none"),
        ({"a": {"type": "Affine", "rotation": (-999, 1)}}, "one", "a: Affine: rotation="),
        ({"type": "Affine"}, "one", r"ops=dict\(affine=dict\(type='Affine'\)\)"),
        ("Affine", "one", "must be a dict"),
        (3, "one", "must be a dict"),
        ({"a": 3}, "one", "a=3 must be"),
        (None, "all", "one, compose"),
        ({"m": "CutMix", "a": "Affine"}, "compose", "must come last"),
        ({"a": {"type": "Affine", "weight": 2}}, "compose", "no meaning in mode='compose'"),
    ],
)
def test_wrong_sets_are_refused_before_training(ops, mode, told):
    with pytest.raises(ValueError, match=told):
        MotionSampler(ops, mode)


class Drawn:
    """An op of somebody's own, which returns what it was made with."""

    num_partners = 0

    def __init__(self, change):
        self.change = change

    def sample(self, rng, num_frames, size):
        return self.change(num_frames, size)


def rest(num_frames, size):
    return Motion("Drawn", size, np.tile(np.eye(3), (num_frames, 1, 1)))


@pytest.mark.parametrize("mode", ["one", "compose"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t, size: rest(t - 1, size), r"a Motion of 15 frames of \(24, 32\)"),
        (lambda t, size: rest(t, size[::-1]), r"a Motion of 16 frames of \(32, 24\)"),
        (lambda t, size: np.tile(np.eye(3), (t, 1, 1)), "a ndarray"),
        (lambda t, size: None, "a NoneType"),
    ],
    ids=["shorter", "turned", "matrices", "nothing"],
)
def test_an_op_that_draws_something_else_is_named(mode, change, told):
    sampler = MotionSampler(["Identity"], mode)
    sampler.ops = {"mine": Drawn(change)}
    words = rf"^ops: mine: Drawn\.sample returned {told} where a Motion of 16 .*\(24, 32\)"
    with pytest.raises(ValueError, match=words):
        sampler.sample(np.random.default_rng(0), 16, (24, 32))
    sampler.ops = {"mine": Drawn(rest)}
    assert sampler.sample(np.random.default_rng(0), 16, (24, 32)).num_frames == 16


def test_the_room_needs_no_torch_and_no_registry():
    """Load the room's files alone, as a package, in a process that refuses heavy imports."""
    code = """
import importlib.util, sys
from pathlib import Path
for name in ("torch", "mmengine", "mmcv", "mmaction"):
    sys.modules[name] = None
folder = Path(sys.argv[1])
spec = importlib.util.spec_from_file_location(
    "room", folder / "__init__.py", submodule_search_locations=[str(folder)])
room = importlib.util.module_from_spec(spec)
sys.modules["room"] = room
spec.loader.exec_module(room)
print(len(room.OPS))
"""
    import mmpmg.motion

    folder = mmpmg.motion.__path__[0]
    done = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "10", done.stderr
