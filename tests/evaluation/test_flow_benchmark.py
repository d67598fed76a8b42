"""What the benchmark of dense flow says of estimates that are known; nothing here asserts speed."""

from __future__ import annotations

import numpy as np
import pytest

from mmpmg.evaluation import flow_benchmark
from mmpmg.evaluation.flow_benchmark import FAMILIES, PARCELS, _Parcels, _row, known_clips

SHAPE = (3, 32, 48)


def test_clips_of_every_family_have_their_exact_flow() -> None:
    clips = known_clips(SHAPE, 1)
    assert len(clips) == len(FAMILIES)
    for frames, flow, seen in clips:
        assert len(frames) == 3 and frames[0].shape == (32, 48, 3)
        assert flow.shape == (2, 32, 48, 2) and seen.shape == (2, 32, 48) and seen.any()


@pytest.mark.parametrize("error", [0.0, 0.25])
def test_errors_are_distances_over_covisible_pixels(
    monkeypatch: pytest.MonkeyPatch, error: float
) -> None:
    exact = np.full((2, 32, 48, 2), 2.0, np.float32)
    seen = np.ones((2, 32, 48), bool)
    seen[:, :8] = False
    found = exact + np.float32(error) * np.array([0.6, 0.8], np.float32)
    found[~seen] = 1000  # where nobody looks

    def estimate(frames, method, backward=False):  # type: ignore[no-untyped-def]
        return found, -found if backward else None

    monkeypatch.setattr(flow_benchmark, "estimate_flow", estimate)
    monkeypatch.setattr(flow_benchmark, "consistent", lambda forth, back: seen)
    method, median, tenth, believed, both, others, *_ = _row("dis_fast", [([], exact, seen)])
    assert (method, median, tenth) == ("dis_fast", f"{error:.2f}", f"{error:.2f}")
    assert believed == f"{error:.2f}, {error:.2f}" and (both, others) == ("100", "0")


def test_half_precision_halves_the_flow_that_travels() -> None:
    sizes = {form: _Parcels(form, (3, 32, 48), 1).megabytes for form in PARCELS}
    bare = sizes["nothing"]
    assert bare == 3 * 3 * 32 * 48 / 1e6
    flow, seen = 2 * 2 * 32 * 48 * 4 / 1e6, 2 * 32 * 48 / 1e6
    for where in ("NumPy", "torch"):
        assert sizes[f"float32, {where}"] == pytest.approx(bare + flow + seen)
        assert sizes[f"float16, {where}"] == pytest.approx(bare + flow / 2 + seen)
