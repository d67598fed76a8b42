from __future__ import annotations

import colorsys

import numpy as np
import pytest

from mmpmg.visualization import flow_arrows, flow_scale, flow_wheel, wheel_legend
from mmpmg.visualization.flow import BLIND

# The yellow of the arrows against the grey frame that they are drawn on.
YELLOW = np.array((255, 221, 51))


def yellow_pixels(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(np.abs(picture.astype(int) - YELLOW).sum(axis=2) < 60)


def shift(dx: float, dy: float, size: int = 60) -> np.ndarray:
    return np.tile(np.float32([dx, dy]), (size, size, 1))


@pytest.mark.parametrize(("dx", "dy"), [(15, 0), (-15, 0), (0, 15), (0, -15), (11, -11)])
def test_an_arrow_starts_at_its_point_and_ends_where_it_goes(dx: int, dy: int) -> None:
    frame = np.full((60, 60, 3), 90, dtype=np.uint8)
    alone = np.zeros((60, 60), dtype=bool)
    alone[30, 30] = True
    rows, columns = yellow_pixels(flow_arrows(frame, shift(dx, dy), alone, every=60))
    along = ((columns - 30) * dx + (rows - 30) * dy) / np.hypot(dx, dy)
    length = np.hypot(dx, dy)
    assert -2 <= along.min() <= 2
    assert length - 3 <= along.max() <= length + 2
    # The barbs stand at the end: the widest part is in the last half.
    across = np.abs((columns - 30) * dy - (rows - 30) * dx) / length
    assert along[across.argmax()] > length / 2
    assert across.max() >= 2


def test_stretch_and_scale_lengthen_the_arrow() -> None:
    frame = np.full((40, 40, 3), 90, dtype=np.uint8)
    alone = np.zeros((40, 40), dtype=bool)
    alone[20, 20] = True

    def reach(**options: float) -> float:
        picture = flow_arrows(frame, shift(5, 0, 40), alone, every=40, **options)
        return float(yellow_pixels(picture)[1].max()) - (20.5 * options.get("scale", 1) - 0.5)

    assert reach() == pytest.approx(5, abs=1.5)
    assert reach(stretch=3.0) == pytest.approx(15, abs=1.5)
    assert reach(scale=2) == pytest.approx(10, abs=1.5)


def test_points_that_vanish_have_no_arrow_and_resting_points_are_dots() -> None:
    frame = np.full((40, 40, 3), 90, dtype=np.uint8)
    nothing = np.zeros((40, 40), dtype=bool)
    assert yellow_pixels(flow_arrows(frame, shift(9, 0, 40), nothing, every=20))[0].size == 0
    rows, columns = yellow_pixels(flow_arrows(frame, shift(0, 0, 40), every=40))
    assert 0 < rows.size < 9
    assert np.hypot(rows - 20, columns - 20).max() < 3


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_hue_is_direction_and_saturation_is_length(degrees: int) -> None:
    angle = np.deg2rad(degrees)
    flow = np.float32([[[4 * np.cos(angle), 4 * np.sin(angle)]]])
    for scale, saturation in ((4.0, 1.0), (8.0, 0.5)):
        red, green, blue = (int(v) / 255 for v in flow_wheel(flow, scale=scale)[0, 0])
        hue, s, value = colorsys.rgb_to_hsv(red, green, blue)
        assert abs((hue * 360 - degrees + 180) % 360 - 180) < 2
        assert s == pytest.approx(saturation, abs=0.02)
        assert value == 1


def test_rest_is_white_and_the_unseen_is_grey() -> None:
    seen = np.array([[True, False]])
    picture = flow_wheel(np.zeros((1, 2, 2), dtype=np.float32), seen)
    assert picture[0].tolist() == [[255] * 3, [BLIND] * 3]


def test_the_legend_shows_the_colour_of_motion_from_its_centre() -> None:
    legend = wheel_legend(65)
    right, below = legend[32, 60], legend[60, 32]
    assert tuple(right) == tuple(flow_wheel(np.float32([[[28, 0]]]), scale=32.0)[0, 0])
    assert tuple(below) == tuple(flow_wheel(np.float32([[[0, 28]]]), scale=32.0)[0, 0])
    assert legend[0, 0].tolist() == [255] * 3


def test_the_scale_ignores_what_is_not_seen() -> None:
    flow = shift(3, 4, 10)
    flow[0] = 1000
    seen = np.ones((10, 10), dtype=bool)
    seen[0] = False
    assert flow_scale(flow, seen) == pytest.approx(5)
    assert flow_scale(np.zeros((4, 4, 2), dtype=np.float32)) == 1.0
