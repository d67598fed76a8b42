"""Pixels where points, cells and their rims belong, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from mmpmg.visualization.labels import PAPER
from mmpmg.visualization.motion_map_picture import (
    LOST,
    POINT,
    REGION,
    draw_points,
    motion_legend,
    outline,
    paint_motion,
    tag,
)


def test_a_line_leads_from_its_point_to_where_that_goes() -> None:
    frame = np.full((32, 48, 3), 200, np.uint8)
    points = np.array([(8, 16), (40, 24)], np.float32)
    moved = np.array([(10, 0), (-30, 0)], np.float32)
    picture = draw_points(frame, points, moved, np.array([True, False]), scale=2, stretch=1.5)
    assert picture.shape == (64, 96, 3)
    # (8 + .5) * 2 - .5 = 16.5 is the point, 30 pixels to the right is the end.
    assert (picture[32:34, 17] == POINT).all(axis=-1).any()
    green = (picture[..., 1] > picture[..., 0].astype(int) + 60).any(axis=0)
    assert green[15:46].all() and not green[:12].any()
    assert (picture[48:50, 80] == LOST).all(axis=-1).any(), "a lost point is grey"
    assert not green[50:].any(), "and its displacement is not drawn"


def test_points_stand_in_the_middle_of_enlarged_pixels() -> None:
    rest = np.zeros((1, 2), np.float32)
    for scale in (1, 4):
        point = np.array([(5, 3)], np.float32)
        picture = draw_points(np.zeros((9, 9, 3), np.uint8), point, rest, np.ones(1, bool), scale)
        rows, columns = np.nonzero((picture == POINT).all(axis=-1))
        assert rows.mean() == pytest.approx(3.5 * scale - 0.5, abs=0.6)
        assert columns.mean() == pytest.approx(5.5 * scale - 0.5, abs=0.6)


def test_every_cell_has_the_colour_of_its_own_motion() -> None:
    motion = np.array([[0.0, 1.0, 2.0], [4.0, 9.0, 3.0]], np.float32)
    picture = paint_motion(motion, (16, 24), top=4.0)
    cells = picture.reshape(2, 8, 3, 8, 3)
    assert (cells == cells[:, :1, :, :1]).all()
    brightness = cells[:, 0, :, 0].astype(int).sum(axis=-1)
    assert brightness[0, 0] < 20
    order = np.argsort(motion.ravel())
    assert (np.diff(brightness.ravel()[order])[:4] > 0).all()
    assert brightness[1, 1] == brightness[1, 0], "what passes the top is as bright as the top"


def test_a_region_is_framed_inside_its_own_cells_and_closed_at_the_edge() -> None:
    grey = np.full((32, 32, 3), 90, np.uint8)
    region = np.zeros((4, 4), bool)
    region[0, 1:3] = True
    drawn = outline(grey, region, width=2)
    blue = (drawn == REGION).all(axis=-1)
    wanted = np.zeros((32, 32), bool)
    wanted[:8, 8:24] = True
    wanted[2:6, 10:22] = False  # the two cells are one region: no line between them
    np.testing.assert_array_equal(blue, wanted)
    assert (drawn[~blue] == 90).all() and (grey == 90).all()
    assert not (outline(grey, ~region | region, 2)[2:-2, 2:-2] == REGION).all(axis=-1).any()
    assert (outline(grey, region & ~region) == grey).all()


def test_the_legend_marks_the_threshold_where_its_colour_is() -> None:
    legend = motion_legend(128, top=4.0, threshold=1.0)
    bar = legend[10:118, 10]
    (row,) = np.flatnonzero((bar == REGION).all(axis=-1))
    assert row == pytest.approx(0.75 * 107, abs=1)
    for share, value in ((0.25, 3.0), (0.5, 2.0)):
        colour = paint_motion(np.array([[value]], np.float32), (1, 1), 4.0)[0, 0].astype(int)
        assert np.abs(bar[round(share * 107)].astype(int) - colour).max() < 12
    assert (legend[:, 30:] != PAPER[0]).any()


@pytest.mark.parametrize("height", [60, 128, 224])
def test_no_text_of_the_legend_covers_another(height: int) -> None:
    """The threshold of half a pixel stands right above the 0 where something moves fast."""
    for top in (1.0, 4.0, 8.5, 30.0, 900.0):
        written = (motion_legend(height, top, 0.5)[:, 30:] != PAPER[0]).any(axis=(1, 2))
        starts = np.flatnonzero(np.diff(written.astype(int), prepend=0) == 1)
        assert len(starts) == 3, "three texts with paper between them"


def test_a_tag_covers_its_corner_alone() -> None:
    picture = tag(np.full((64, 64, 3), 7, np.uint8), "random")
    assert (picture[0, 0] == PAPER).all() and (picture[:20] != 7).any()
    assert (picture[20:] == 7).all()
    small = tag(np.full((9, 12, 3), 7, np.uint8), "not masked")
    assert small.shape == (9, 12, 3)
