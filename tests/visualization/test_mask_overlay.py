from __future__ import annotations

import numpy as np
import pytest

from mmpmg.visualization import beside, object_colors, overlay_objects, sequence_sheet

SHAPE = (3, 20, 30)


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


@pytest.fixture
def masks() -> np.ndarray:
    ids = np.zeros(SHAPE, dtype=np.uint8)
    ids[:, 4:10, 5:12] = 1
    ids[1:, 8:16, 10:20] = 2
    return ids


def test_every_id_has_a_colour_of_its_own():
    colors = object_colors()
    assert colors.shape == (256, 3)
    assert len({tuple(color) for color in colors.tolist()}) == 256
    apart = np.abs(colors[1:20, None].astype(int) - colors[None, 1:20]).sum(axis=2)
    assert apart[~np.eye(19, dtype=bool)].min() > 25


def test_the_background_stays_and_objects_are_mixed_with_their_colour(frames, masks):
    painted = overlay_objects(frames, masks, opacity=0.25, outline=False)
    assert np.array_equal(painted[masks == 0], frames[masks == 0])
    for number in (1, 2):
        inside = masks == number
        expected = 0.75 * frames[inside] + 0.25 * object_colors()[number]
        assert np.abs(painted[inside] - expected).max() <= 0.51


def test_without_objects_nothing_changes(frames):
    assert np.array_equal(overlay_objects(frames, np.zeros(SHAPE, dtype=np.uint8)), frames)


def test_the_outline_is_the_objects_own_rim(frames, masks):
    painted = overlay_objects(frames, masks, opacity=0)
    for k, y, x in np.ndindex(SHAPE):
        number = masks[k, y, x]
        neighbours = [
            masks[k, y + dy, x + dx]
            for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1))
            if 0 <= y + dy < SHAPE[1] and 0 <= x + dx < SHAPE[2]
        ]
        rim = number > 0 and any(other != number for other in neighbours)
        expected = object_colors()[number] if rim else frames[k, y, x]
        assert np.array_equal(painted[k, y, x], expected), (k, y, x)


def test_frames_are_not_painted_in_place(frames, masks):
    before = frames.copy()
    overlay_objects(frames, masks)
    assert np.array_equal(frames, before)


def test_a_film_has_truth_at_the_left_and_prediction_at_the_right(frames, masks):
    film = beside(frames, masks, masks * 0)
    assert film.shape == (3, 20, 60, 3)
    assert np.array_equal(film[:, :, :30], overlay_objects(frames, masks))
    assert np.array_equal(film[:, :, 30:], frames)


def test_a_sheet_shows_both_and_differs_only_where_masks_do(frames, masks):
    same = sequence_sheet(frames, masks, masks, cell_height=20)
    wrong = masks.copy()
    wrong[1] = 0
    other = sequence_sheet(frames, masks, wrong, cell_height=20)
    assert same.shape == other.shape
    rows, columns = np.nonzero((same != other).any(axis=2))
    assert 0 < rows.max() - rows.min() < 20, "within one row of the sheet"
    assert 0 < columns.max() - columns.min() < 30, "within one column"
    assert rows.min() > len(same) / 2, "the predicted row is the lower one"


@pytest.mark.parametrize("opacity", [-0.1, 1.1])
def test_an_illegal_opacity_is_named(frames, masks, opacity):
    with pytest.raises(ValueError, match=str(opacity)):
        overlay_objects(frames, masks, opacity=opacity)


def test_masks_of_another_size_are_named(frames, masks):
    with pytest.raises(ValueError, match=r"\(3, 10, 30\).*\(3, 20, 30, 3\)"):
        overlay_objects(frames, masks[:, ::2])
    with pytest.raises(ValueError, match=r"predicted masks \(2, 20, 30\)"):
        sequence_sheet(frames, masks, masks[:2])
