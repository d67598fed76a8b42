"""J and F by hand, and against an implementation that compares pixels one by one."""

from __future__ import annotations

import csv
import io

import cv2
import numpy as np
import pytest
from reference.davis_measures import boundary_f, contour_pixels, jaccard, statistics

from mmpmg.evaluation.contour_accuracy import contour, contour_accuracy, contour_tolerance
from mmpmg.evaluation.davis_scores import (
    MEASURES,
    ObjectScores,
    average,
    decay,
    object_table,
    recall,
    score_sequence,
)
from mmpmg.evaluation.region_similarity import region_similarity


def blobs(seed, shape, share=0.3, coarse=12):
    """Masks of random outlines: smooth noise above a threshold."""
    rng = np.random.default_rng(seed)
    noise = [
        cv2.resize(
            rng.random((-(-shape[1] // coarse), -(-shape[2] // coarse))),
            (shape[2], shape[1]),
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(shape[0])
    ]
    return np.stack(noise) > 1 - share


def mask(shape, *boxes):
    """A mask of boxes (top, left, bottom, right), the ends not included."""
    found = np.zeros(shape, dtype=bool)
    for top, left, bottom, right in boxes:
        found[top:bottom, left:right] = True
    return found


def test_j_of_two_columns_that_share_one_is_a_third():
    ours, theirs = mask((4, 4), (0, 0, 4, 2)), mask((4, 4), (0, 1, 4, 3))
    assert region_similarity(ours, theirs) == pytest.approx(4 / 12)


def test_the_contour_of_a_square_by_hand():
    square = mask((6, 6), (2, 2, 4, 4))
    found = {tuple(point) for point in np.argwhere(contour(square)).tolist()}
    assert found == {(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (2, 3), (3, 2), (3, 3)}


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [
        ((0, 0), {(0, 0)}),
        ((4, 6), {(3, 5), (3, 6), (4, 5)}),
        ((0, 6), {(0, 5), (0, 6)}),
        ((4, 0), {(3, 0), (4, 0)}),
    ],
)
def test_the_contour_of_one_pixel_in_a_corner_by_hand(pixel, expected):
    one = np.zeros((5, 7), dtype=bool)
    one[pixel] = True
    assert {tuple(point) for point in np.argwhere(contour(one)).tolist()} == expected


def test_no_contour_runs_along_the_picture_s_edge():
    left = mask((5, 8), (0, 0, 5, 3))
    assert np.flatnonzero(contour(left).any(axis=0)).tolist() == [2]
    assert not contour(np.ones((5, 8), dtype=bool)).any()


@pytest.mark.parametrize(
    ("height", "width", "pixels"),
    [(480, 854, 8), (240, 428, 4), (100, 75, 1), (101, 75, 2), (600, 800, 8), (4, 4, 1)],
)
def test_tolerance_is_a_share_of_the_diagonal_rounded_up(height, width, pixels):
    assert contour_tolerance(height, width) == pixels


@pytest.mark.parametrize(("left", "expected"), [(40, 1), (41, 1), (42, 0), (39, 1), (38, 0)])
def test_f_of_a_shifted_edge_is_1_up_to_the_tolerance_and_0_beyond(left, expected):
    """100 x 75 pixels have a diagonal of 125, so contours meet up to a distance of 1."""
    truth, ours = mask((100, 75), (0, 40, 100, 75)), mask((100, 75), (0, left, 100, 75))
    assert contour_accuracy(ours, truth) == expected


def test_f_of_an_edge_with_a_step_by_hand():
    """The true edge runs down column 39; the predicted one down 40, at half height out to 59."""
    truth = mask((100, 75), (0, 40, 100, 75))
    ours = mask((100, 75), (0, 41, 50, 75), (50, 60, 100, 75))
    precision = 50 / (50 + 19 + 50)
    recalled = 50 / 100  # row 50 of column 39 is a diagonal step away from row 49 of column 40
    expected = 2 * precision * recalled / (precision + recalled)
    assert contour_accuracy(ours, truth) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs", "j", "f"),
    [
        ("empty", "empty", 1, 1),
        ("square", "empty", 0, 0),
        ("empty", "square", 0, 0),
        ("pixel", "empty", 0, 0),
        ("pixel", "pixel", 1, 1),
        ("corner", "corner", 1, 1),
        ("full", "full", 1, 1),
        ("full", "empty", 0, 1),  # neither has a contour
        ("full", "square", 36 / 400, 0),
    ],
)
def test_extremes_by_hand(ours, theirs, j, f):
    shape = (20, 20)
    masks = dict(
        empty=mask(shape),
        square=mask(shape, (5, 5, 11, 11)),
        pixel=mask(shape, (9, 9, 10, 10)),
        corner=mask(shape, (19, 19, 20, 20)),
        full=np.ones(shape, dtype=bool),
    )
    assert region_similarity(masks[ours], masks[theirs]) == pytest.approx(j)
    assert contour_accuracy(masks[ours], masks[theirs]) == f


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(3, 36, 124), (3, 128, 24), (3, 12, 18)])
def test_j_and_f_agree_with_pixel_by_pixel_definitions(seed, shape):
    theirs = blobs(seed, shape)
    ours = np.roll(theirs, (seed, 1 - seed), axis=(1, 2)) ^ (blobs(seed + 50, shape) & theirs)
    ours[2] = blobs(seed + 90, shape)[2]
    for k, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert region_similarity(ours, theirs)[k] == pytest.approx(jaccard(one, other), abs=1e-12)
        f = contour_accuracy(ours, theirs)[k]
        assert f == pytest.approx(boundary_f(one, other), abs=1e-12)
        assert set(map(tuple, np.argwhere(contour(one)).tolist())) == contour_pixels(one)


@pytest.mark.parametrize("seed", range(3))
def test_noise_agrees_too(seed):
    rng = np.random.default_rng(seed)
    for density in (0.01, 0.5):
        ours, theirs = rng.random((2, 1, 16, 22)) < density
        assert contour_accuracy(ours, theirs)[0] == pytest.approx(boundary_f(ours[0], theirs[0]))
        assert region_similarity(ours, theirs)[0] == pytest.approx(jaccard(ours[0], theirs[0]))


def test_f_and_j_do_not_depend_on_who_is_called_the_truth():
    ours, theirs = blobs(1, (4, 40, 60)), blobs(2, (4, 40, 60))
    assert np.array_equal(contour_accuracy(ours, theirs), contour_accuracy(theirs, ours))
    assert np.array_equal(region_similarity(ours, theirs), region_similarity(theirs, ours))


@pytest.mark.parametrize("measure", [region_similarity, contour_accuracy])
def test_masks_of_another_size_are_refused(measure):
    with pytest.raises(ValueError, match=r"\(2, 4, 5\).*\(2, 4, 6\)"):
        measure(np.zeros((2, 4, 5), dtype=bool), np.zeros((2, 4, 6), dtype=bool))


def test_recall_counts_frames_above_a_half():
    assert recall(np.array([0.2, 0.5, 0.50001, 1.0])) == 0.5


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.7], 0),
        ([0.9, 0.4], 0.5),
        ([1, 0.8, 0.3], 0.9 - 0.3),
        ([1, 0.8, 0.5, 0.2, 0.1], 0.9 - 0.15),  # both ends belong to a quarter
        ([1, 0.9, 0.8, 0, 0, 0.6, 0.3, 0], 0.9 - 0.3),  # ends at 1, 3, 5, 6, 8
        ([1] * 76 + [0] * 224, 1),  # 300 frames, more than 8 bits count
        ([0, 0, 1, 1, 1], -1),
    ],
)
def test_decay_by_hand(values, expected):
    assert decay(np.array(values, dtype=float)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 10, 38, 101])
def test_statistics_agree_with_a_second_implementation(count):
    values = np.random.default_rng(count).random(count)
    mean, share, loss = statistics(values.tolist())
    measures = ObjectScores("one", 1, values, 1 - values).measures()
    assert measures["J-Mean"] == pytest.approx(mean, abs=1e-12)
    assert measures["J-Recall"] == pytest.approx(share, abs=1e-12)
    assert measures["J-Decay"] == pytest.approx(loss, abs=1e-12)
    assert measures["F-Decay"] == pytest.approx(-loss, abs=1e-12)
    assert measures["J&F-Mean"] == pytest.approx(0.5, abs=1e-12)


def masks_of_two():
    """Five frames, object 1 at rest, object 2 gone from frame 3 on."""
    truth = np.zeros((5, 30, 40), dtype=np.uint8)
    truth[:, 3:13, 3:13] = 1
    truth[:3, 18:26, 20:32] = 2
    return truth


def test_the_truth_scores_1_also_where_an_object_leaves():
    truth = masks_of_two()
    for one in score_sequence("a", truth, truth, (1, 2)):
        assert one.similarity.tolist() == one.accuracy.tolist() == [1, 1, 1]


def test_the_first_and_the_last_frame_do_not_count():
    truth = masks_of_two()
    predicted = truth.copy()
    predicted[[0, -1]] = 0
    scores = score_sequence("a", predicted, truth, (1, 2))
    assert average(scores)["J&F-Mean"] == 1


def test_an_object_predicted_after_it_left_scores_nothing_there():
    truth = masks_of_two()
    predicted = truth.copy()
    predicted[3:] = truth[0]
    second = score_sequence("a", predicted, truth, (1, 2))[1]
    assert second.similarity.tolist() == second.accuracy.tolist() == [1, 1, 0]


def test_ids_that_only_the_truth_has_later_count_as_background():
    truth = masks_of_two()
    later = truth.copy()
    later[2:, 0:2, 35:40] = 3
    plain, with_third = (score_sequence("a", truth, one, (1, 2)) for one in (truth, later))
    assert average(plain) == average(with_third)


def test_objects_weigh_the_same_whatever_their_sequence():
    def constant(sequence, number, j, frames):
        return ObjectScores(sequence, number, np.full(frames, j), np.full(frames, j / 2))

    scores = [constant("a", 1, 1.0, 3), constant("b", 1, 0.4, 90), constant("b", 2, 0.1, 90)]
    measures = average(scores)
    assert measures["J-Mean"] == pytest.approx(0.5)
    assert measures["F-Mean"] == pytest.approx(0.25)
    assert measures["J&F-Mean"] == pytest.approx(0.375)
    assert measures["J-Recall"] == pytest.approx(1 / 3)
    assert tuple(measures) == MEASURES


@pytest.mark.parametrize("frames", [1, 2])
def test_too_few_frames_are_an_error(frames):
    short = masks_of_two()[:frames]
    with pytest.raises(ValueError, match=f"a: {frames} frames.*at least 3.*sequences"):
        score_sequence("a", short, short, (1, 2))


def test_three_frames_count_one():
    short = masks_of_two()[:3]
    assert len(score_sequence("a", short, short, (1, 2))[0].similarity) == 1


def test_predicted_ids_that_the_sequence_lacks_are_an_error():
    truth = masks_of_two()
    with pytest.raises(ValueError, match=r"a: ids \[7\] are predicted.*\[1, 2\]"):
        score_sequence("a", np.where(truth == 2, 7, truth), truth, (1, 2))


def test_a_prediction_of_another_size_is_an_error():
    truth = masks_of_two()
    with pytest.raises(ValueError, match=r"a: pred_masks \(5, 15, 40\).*\(5, 30, 40\)"):
        score_sequence("a", truth[:, ::2], truth, (1, 2))


def test_the_table_has_each_object_each_sequence_and_all():
    truth = masks_of_two()
    predicted = truth.copy()
    predicted[2, 3:13, 8:13] = 0  # half of object 1 in the middle one of three frames
    scores = score_sequence("a, with a comma", predicted, truth, (1, 2))
    one = np.where(truth == 1, truth, 0)
    scores += score_sequence("b", one, one, (1,))
    rows = list(csv.DictReader(io.StringIO(object_table(scores))))
    assert [(row["sequence"], row["object"]) for row in rows] == [
        ("a, with a comma", "1"),
        ("a, with a comma", "2"),
        ("a, with a comma", "all"),
        ("b", "1"),
        ("b", "all"),
        ("(all)", "all"),
    ]
    assert [row["J-Mean"] for row in rows] == [
        "0.8333", "1.0000", "0.9167", "1.0000", "1.0000", "0.9444"
    ]  # fmt: skip
    assert [row["frames"] for row in rows] == ["3", "3", "3", "3", "3", "6"]
    assert rows[0]["J-Recall"] == "0.6667", "half of it is not above a half"
