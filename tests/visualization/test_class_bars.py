"""The class chart: nothing hidden behind something else, nothing cut off."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mmpmg.visualization.class_bars import class_bars

LONG = [f"vit-b_hmdb51-frames_zoom-affine-perspective-cutmix_{k}" for k in range(3)]


def test_marks_of_equal_value_lie_beside_one_another_in_their_own_row() -> None:
    accuracy = np.array([[50.0, 50.0, 50.0], [10.0, 50.0, 90.0], [20.0, 70.0, 20.5]])
    figure = class_bars(["a", "b", "c"], ["x", "y", "z"], accuracy, accuracy.mean(axis=0))
    marks = [line.get_xydata() for line in figure.axes[0].lines]
    for row in range(3):
        places = np.array([mark[row] for mark in marks])
        assert (places[:, 0] == accuracy[row]).all(), "values are never moved"
        assert (abs(places[:, 1] - row) < 0.5).all()
        near = abs(np.subtract.outer(places[:, 0], places[:, 0])) < 1
        apart = abs(np.subtract.outer(places[:, 1], places[:, 1])) > 0.2
        assert (apart | ~near | np.eye(3, dtype=bool)).all()
    assert [mark[1][1] for mark in marks] == [1, 1, 1], "far ones stay on the line"


def test_captions_of_long_names_stay_within_the_picture() -> None:
    accuracy = np.array([[50.0, 60.0, 70.0]] * 4)
    figure = class_bars(LONG, list("wxyz"), accuracy, accuracy.mean(axis=0))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box = figure.axes[0].xaxis.label.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0
    assert all(name in "".join(figure.axes[0].get_xlabel().split()) for name in LONG[::2])
    assert figure.axes[0].get_legend().get_window_extent().x1 <= figure.bbox.width
