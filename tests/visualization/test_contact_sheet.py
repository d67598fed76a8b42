from __future__ import annotations

import numpy as np
import pytest

from mmpmg.visualization import contact_sheet, spread_frames, tile
from mmpmg.visualization.contact_sheet import GAP
from mmpmg.visualization.labels import text_block


def colored(*levels: int, size: int = 20) -> np.ndarray:
    return np.stack([np.full((size, size, 3), level, dtype=np.uint8) for level in levels])


def test_clips_are_rows_and_chosen_frames_are_columns() -> None:
    clips = [colored(10, 20, 30, 40, 50), colored(110, 120, 130, 140, 150)]
    sheet = contact_sheet(clips, columns=3, cell_height=20)
    heads = len(sheet) - 2 * (20 + GAP) - GAP
    for row, levels in enumerate([(10, 30, 50), (110, 130, 150)]):
        for column, level in enumerate(levels):
            top, left = heads + row * (20 + GAP), GAP + column * (20 + GAP)
            cell = sheet[top : top + 20, left : left + 20]
            assert (cell == level).all(), (row, column)


def test_labels_are_written_beside_their_row_and_leave_the_frames_alone() -> None:
    clips = [colored(10, 20), colored(110, 120)]
    plain = contact_sheet(clips, cell_height=40)
    labelled = contact_sheet(clips, ["Affine", "Zoom"], cell_height=40)
    extra = labelled.shape[1] - plain.shape[1]
    assert extra > 0
    np.testing.assert_array_equal(labelled[:, extra + GAP :], plain[:, GAP:])
    gutter = labelled[-2 * (40 + GAP) - GAP :, : extra + GAP]
    assert (gutter[:40] < 128).any()
    assert (gutter[44:84] < 128).any()
    # Different words, different ink.
    assert (gutter[:40] != gutter[44:84]).any()


def test_small_frames_are_enlarged_by_whole_pixels() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    sheet = contact_sheet([clip], cell_height=24)
    np.testing.assert_array_equal(
        sheet[-24 - 2 * GAP : -2 * GAP, GAP : GAP + 24], clip[0].repeat(3, 0).repeat(3, 1)
    )


def test_groups_stand_apart() -> None:
    rows = [[cell] for cell in colored(0, 0, 0)]
    extra = len(tile(rows, cell_height=20, spaced={0, 2})) - len(tile(rows, cell_height=20))
    assert extra == 3 * GAP


@pytest.mark.parametrize(("frames", "columns"), [(16, 8), (16, 3), (4, 8), (1, 5), (16, 1)])
def test_frames_are_spread_from_the_first_to_the_last(frames: int, columns: int) -> None:
    chosen = spread_frames(frames, columns)
    assert len(chosen) == len(set(chosen)) == min(frames, columns)
    assert chosen[0] == 0
    if columns > 1:
        assert chosen[-1] == frames - 1
        assert np.ptp(np.diff(chosen)) <= 1 if len(chosen) > 1 else True


def test_text_is_wrapped_rather_than_cut() -> None:
    wide, narrow = (text_block("a clip of real photographs", width) for width in (400, 90))
    assert len(narrow) > len(wide)
    assert (narrow[:, -3:] == 255).all()
    assert (narrow < 128).sum() == pytest.approx((wide < 128).sum(), rel=0.2)


def test_what_cannot_be_laid_out_is_refused() -> None:
    with pytest.raises(ValueError, match="one length, got lengths"):
        contact_sheet([colored(1), colored(1, 2)])
    with pytest.raises(ValueError, match="one length"):
        contact_sheet([])
    with pytest.raises(ValueError, match="2 row labels for 1 rows"):
        contact_sheet([colored(1)], ["a", "b"])
    with pytest.raises(ValueError, match="at least one picture"):
        tile([[]])
