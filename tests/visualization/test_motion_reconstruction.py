"""Pictures of motion: what the colours say, and what of the truth goes into a prediction."""

from __future__ import annotations

import numpy as np
import pytest

from mmpmg.visualization import (
    MotionReconstruction,
    Reconstruction,
    flow_wheel,
    pixel_mask,
    reconstruction_picture,
)
from mmpmg.visualization.flow import BLIND
from mmpmg.visualization.masks import TINT
from mmpmg.visualization.motion_colors import (
    PAINTS,
    full_colour,
    paint_absolute,
    paint_flow,
    paint_signed,
)

TOKEN = (2, 4, 4)
SIZE = (4, 12, 16)
CHANNELS = {"signed": 3, "absolute": 3, "flow": 2}


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros(24, dtype=bool)
    mask[np.random.default_rng(1).permutation(24)[:15]] = True
    return mask


def item(
    mask: np.ndarray,
    kind: str = "signed",
    normalized: bool = False,
    prediction: np.ndarray | None = None,
    seed: int = 0,
    field_shape: tuple[int, int, int] = TOKEN,
) -> MotionReconstruction:
    """A motion that is predicted perfectly, unless a prediction is given."""
    channels = CHANNELS[kind]
    values = int(np.prod(field_shape))
    plain = np.random.default_rng(seed).normal(0.1, 0.2, (24, values, channels))
    plain = np.abs(plain) if kind == "absolute" else plain
    mean, std = plain.mean(1, keepdims=True), plain.std(1, ddof=1, keepdims=True) + 1e-6
    truth = (plain - mean) / std if normalized else plain
    truth, plain = (v.reshape(24, -1).astype(np.float32) for v in (truth, plain))
    return MotionReconstruction(
        clip=np.full((*SIZE, 3), 90, np.uint8),
        mask=mask,
        prediction=truth[mask] if prediction is None else prediction,
        token_shape=TOKEN,
        normalized=normalized,
        kind=kind,
        truth=truth,
        plain=plain if normalized else None,
        field_shape=field_shape,
        unit=(16.0, 16.0) if kind == "flow" else (255.0,) * 3,
        token_loss=np.ones(15, np.float32),
    )


def test_colours_tell_sign_size_and_what_is_unknown() -> None:
    field = np.array([[2.0], [0.5], [0.0], [-0.5], [-9.0], [np.nan]], np.float32)
    signed = paint_signed(field, 1.0)
    np.testing.assert_array_equal(
        signed[[0, 2, 4, 5]], [(255, 0, 0), (255,) * 3, (0, 0, 255), (BLIND,) * 3]
    )
    assert signed[1, 0] == 255 and signed[1, 1] == signed[1, 2] == 128
    assert signed[3, 2] == 255 and signed[3, 0] == signed[3, 1] == 128
    absolute = paint_absolute(field, 1.0)
    white, half, black = (255, 255, 255), (255, 128, 0), (0, 0, 0)
    np.testing.assert_array_equal(absolute, [white, half, black, black, black, (BLIND,) * 3])


def test_a_stack_of_flows_has_the_colours_of_each_flow() -> None:
    flow = np.random.default_rng(0).normal(0, 3, (3, 5, 6, 2)).astype(np.float32)
    flow[1, 2, 3] = np.nan
    painted = paint_flow(flow, 4.0)
    for k in (0, 2):
        np.testing.assert_array_equal(painted[k], flow_wheel(flow[k], None, 4.0))
    assert (painted[1, 2, 3] == BLIND).all() and (painted[1, 2, 4] != BLIND).any()


def test_full_colour_is_what_nearly_all_stays_below_and_not_the_rounding_of_a_clip_at_rest() -> (
    None
):
    ramp = np.linspace(-200, 200, 2001, dtype=np.float32)[:, None]
    assert full_colour("signed", ramp) == pytest.approx(198, abs=0.5)
    for kind, paint in PAINTS.items():
        rest = np.full((7, 2), 1e-3, np.float32)
        assert full_colour(kind, rest) == paint.least
        assert full_colour(kind, np.full((7, 2), np.nan, np.float32)) == paint.least
    assert full_colour("flow", np.array([[3.0, 4.0]], np.float32)) == pytest.approx(5)


@pytest.mark.parametrize("statistics", ["visible", "truth"])
@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("kind", CHANNELS)
def test_a_perfect_prediction_looks_like_the_truth(mask, kind, normalized, statistics) -> None:
    rows = item(mask, kind, normalized).rows(statistics)
    assert len(rows) == (3 if normalized and statistics == "visible" else 2)
    (_, truth), (label, predicted) = rows[-2:]
    assert label == "predicted motion"
    hidden = pixel_mask(mask, SIZE, TOKEN)
    assert np.abs(predicted[hidden].astype(int) - truth[hidden]).max() <= 1
    assert (predicted[~hidden] == TINT.astype(np.uint8)).all()
    assert len(np.unique(truth.reshape(-1, 3), axis=0)) > 50


@pytest.mark.parametrize("kind", CHANNELS)
def test_nothing_of_the_truth_goes_into_a_prediction_unless_asked_for(mask, kind) -> None:
    """The same values at other places: the scale of the colours is the same, nothing else is."""
    prediction = np.random.default_rng(3).normal(size=(15, 32 * CHANNELS[kind])).astype(np.float32)
    first = item(mask, kind, True, prediction)
    turned = MotionReconstruction(
        **{**vars(first), "truth": first.truth[::-1].copy(), "plain": first.plain[::-1].copy()}
    )
    for statistics, same in (("visible", True), ("truth", False)):
        rows = [each.rows(statistics) for each in (first, turned)]
        (*_, one), (*_, other) = rows
        assert (one[1] == other[1]).all() == same
        assert not np.array_equal(rows[0][0][1], rows[1][0][1])


def test_units_are_pixels_and_grey_levels(mask) -> None:
    moved = item(mask, "flow")
    flow = moved.truth.reshape(2, 3, 4, 2, 4, 4, 2).transpose(0, 3, 1, 4, 2, 5, 6)  # by hand
    flow = flow.reshape(*SIZE, 2) * 16
    (label, truth), _ = moved.rows("visible")
    scale = full_colour("flow", flow)
    np.testing.assert_array_equal(truth[3], flow_wheel(flow[3], None, scale))
    assert label == f"true motion\nfull colour {scale:.3g} px a frame"
    (label, _), _ = item(mask, "absolute").rows("visible")
    assert label.endswith("grey levels") and 60 < float(label.split()[-3]) < 255


def test_cells_are_spread_over_their_pixels(mask) -> None:
    (_, truth), _ = item(mask, "flow", field_shape=(2, 2, 2)).rows("visible")
    cells = truth.reshape(4, 6, 2, 8, 2, 3)
    assert truth.shape == (*SIZE, 3)
    assert (cells == cells[:, :, :1, :, :1]).all()
    assert len(np.unique(cells[:, :, 0, :, 0].reshape(-1, 3), axis=0)) > 50


@pytest.mark.parametrize("statistics", ["visible", "truth"])
@pytest.mark.parametrize("kind", CHANNELS)
def test_what_is_unknown_is_grey_in_truth_and_prediction(mask, kind, statistics) -> None:
    known = item(mask, kind, True)
    truth, plain = known.truth.copy(), known.plain.copy()
    number = np.flatnonzero(mask)[4]
    truth[number] = plain[number] = np.nan
    rows = MotionReconstruction(**{**vars(known), "truth": truth, "plain": plain}).rows(statistics)
    only = np.zeros(24, bool)
    only[number] = True
    where = pixel_mask(only, SIZE, TOKEN)
    for _, picture in rows:
        assert (picture[where] == BLIND).all()
        assert not (picture[~where] == BLIND).all(axis=-1).any()


def test_branches_stand_below_one_another_and_the_truth_once(mask) -> None:
    clip = np.full((*SIZE, 3), 90, np.uint8)
    pixels = Reconstruction(
        clip, mask, np.zeros((15, 96), np.float32), TOKEN, token_loss=np.ones(15, np.float32)
    )
    both = {"pixel": pixels, "motion": item(mask)}
    other = {"pixel": pixels, "motion": item(mask, prediction=np.zeros((15, 96), np.float32))}

    def rows(models: dict, **options: object) -> int:
        return reconstruction_picture(models, cell_height=200, **options).shape[0] // 200

    # Clip, masked; pixels and their loss; true motion, predicted motion and its loss.
    assert rows({"": [both]}) == 7
    assert rows({"": [both]}, losses=False) == 5
    assert rows({"a": [both], "b": [other]}, losses=False) == 7
    assert rows({"": [{"motion": item(mask)}]}) == 5


def test_mistakes_are_refused(mask) -> None:
    with pytest.raises(ValueError, match=r"15 masked tokens of \(2, 4, 4, 2\) values"):
        item(mask, "flow", prediction=np.zeros((15, 96), np.float32))
    for ask in (item(mask).rows, item(mask).note):
        with pytest.raises(ValueError, match="statistics 'both' is unknown"):
            ask("both")
