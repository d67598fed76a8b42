from __future__ import annotations

import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from evaluation.work_dirs import write_dump
from hypothesis import given, settings
from hypothesis import strategies as st

from mmpmg.evaluation.per_class import compare_classes, read_class_names
from mmpmg.evaluation.prediction_dump import DumpError, read_dump
from mmpmg.visualization.class_bars import class_bars, draw_class_bars


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=40))
def test_accuracies_are_those_of_a_loop_and_sorted_by_difference(
    tmp_path_factory: pytest.TempPathFactory, videos: list[tuple[int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("dumps")
    labels, first, second = (list(column) for column in zip(*videos))
    found = compare_classes(
        dict(a=write_dump(folder / "a.pkl", labels, first, 5),
             b=write_dump(folder / "b.pkl", labels, second, 5)),
        None, ["v", "w", "x", "y", "z"],
    )  # fmt: skip
    expected = {}
    for k, name in enumerate("vwxyz"):
        mine = [(a, b) for label, a, b in videos if label == k]
        if mine:
            rates = tuple(
                100 * sum(run == k for run in column) / len(mine) for column in zip(*mine)
            )
            expected[name] = (len(mine), rates)
    assert set(found.classes) == set(expected)
    for name, count, row in zip(found.classes, found.videos, found.accuracy):
        assert count == expected[name][0]
        np.testing.assert_allclose(row, expected[name][1])
    assert list(found.difference) == sorted(found.difference, reverse=True)
    # Weighted by their videos, the classes give the accuracy over all videos.
    weighted = (found.accuracy * found.videos[:, None]).sum(axis=0) / len(videos)
    np.testing.assert_allclose(weighted, found.overall)


def test_the_table_holds_what_is_drawn(tmp_path: Path) -> None:
    runs = {
        "plain": write_dump(tmp_path / "plain.pkl", [0, 0, 1, 2], [0, 1, 1, 0]),
        "with, comma": write_dump(tmp_path / "pmg.pkl", [0, 0, 1, 2], [0, 0, 0, 2]),
    }
    found = compare_classes(runs)
    rows = list(csv.reader(found.write_csv(tmp_path / "new" / "t.csv").open()))
    assert rows == [
        ["class", "videos", "plain", "with, comma", "with, comma minus plain"],
        ["class 2", "1", "0.00", "100.00", "100.00"],
        ["class 0", "2", "50.00", "100.00", "50.00"],
        ["class 1", "1", "100.00", "0.00", "-100.00"],
        ["(all videos)", "4", "50.00", "75.00", "25.00"],
    ]
    axes = class_bars(found.runs, found.classes, found.accuracy, found.overall).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(found.classes)
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first class is on top
    drawn = {line.get_label(): line.get_xdata() for line in axes.get_lines()}
    np.testing.assert_allclose(drawn["with, comma (75.0)"], found.accuracy[:, 1])
    written = [
        draw_class_bars(
            tmp_path / name, found.runs, found.classes, found.accuracy, found.overall
        ).read_bytes()
        for name in ("a.svg", "b.svg")
    ]
    assert written[0] == written[1]
    with pytest.raises(ValueError, match=r"\.png, \.svg, \.pdf"):
        draw_class_bars(
            tmp_path / "a.gif", found.runs, found.classes, found.accuracy, found.overall
        )


def test_unlike_test_sets_are_named(tmp_path: Path) -> None:
    first = write_dump(tmp_path / "first.pkl", [0, 1, 2], [0, 1, 2])
    listing = tmp_path / "list.txt"
    listing.write_text("a.mp4 0\nb.mp4 1\nc d.mp4 1\n")
    for change, message in (
        (write_dump(tmp_path / "more.pkl", [0, 1, 2, 2], [0] * 4), "more.pkl has 4 videos"),
        (write_dump(tmp_path / "wide.pkl", [0, 1, 2], [0] * 3, 5), "wide.pkl has 5 classes"),
        (write_dump(tmp_path / "order.pkl", [0, 2, 1], [0] * 3), "order.pkl .* video 1 for one"),
        (tmp_path / "none.pkl", "no predictions at .*none.pkl; tools/test.py"),
    ):
        with pytest.raises((DumpError, FileNotFoundError), match=message):
            compare_classes(dict(a=first, b=change))
    both = dict(a=first, b=first)
    with pytest.raises(DumpError, match=r"label 1 in line 3 \(c d.mp4 1\) and the dumps 2"):
        compare_classes(both, listing)
    listing.write_text("a.mp4 0\nb.mp4 1\nc d.mp4 2\n\n")
    assert compare_classes(both, listing).classes == ("class 0", "class 1", "class 2")
    with pytest.raises(FileNotFoundError, match="--ann-file"):
        compare_classes(both, tmp_path / "no.txt")
    with pytest.raises(DumpError, match="2 class names for the 3 classes"):
        compare_classes(both, listing, ["a", "b"])
    with pytest.raises(DumpError, match="two or three"):
        compare_classes(dict(a=first))
    outside = write_dump(tmp_path / "outside.pkl", [0, 7], [0, 1])
    with pytest.raises(DumpError, match="outside.pkl has labels from 0 to 7"):
        compare_classes(dict(a=outside, b=outside))


class _Shell:
    def __reduce__(self) -> tuple:
        return os.system, ("touch broken_in",)


def test_a_dump_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(pickle.dumps([dict(gt_label=_Shell(), pred_score=_Shell())]))
    with pytest.raises(DumpError, match="refused"):
        read_dump(evil)
    assert not (tmp_path / "broken_in").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no pickle", "is no dump of predictions"),
        (pickle.dumps([]), "holds no videos"),
        (pickle.dumps({"a": 1}), "holds no videos"),
        (pickle.dumps([dict(gt_label=[0])]), "pred_score"),
        (pickle.dumps([dict(gt_label=[0, 1], pred_score=[0.1, 0.9])]), "one label a video"),
        (b"", "is no dump of predictions"),
    ],
)
def test_what_is_no_dump_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.pkl"
    path.write_bytes(content)
    with pytest.raises(DumpError, match=message) as raised:
        read_dump(path)
    assert str(path) in str(raised.value)


def test_names_of_classes(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    for text, names in (
        ("brush hair\ncart-wheel\n\n", ["brush hair", "cart-wheel"]),
        ("1 ApplyEyeMakeup\n2 Archery\n", ["ApplyEyeMakeup", "Archery"]),
        ("0 a\r\n1 b c\r\n", ["a", "b c"]),
        ("3 doors\n2 cars\n", ["3 doors", "2 cars"]),
        ("\ufeff1 a\n2 é\n", ["a", "é"]),
    ):
        path.write_text(text, encoding="utf-8")
        assert read_class_names(path) == names
    for text, line in (("a\n\nb\n", 2), ("\na\nb\n", 1)):
        path.write_text(text)
        with pytest.raises(DumpError, match=rf"classes\.txt, line {line} is empty"):
            read_class_names(path)
    with pytest.raises(FileNotFoundError, match="--classes"):
        read_class_names(tmp_path / "none.txt")
