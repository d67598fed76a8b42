"""Parts of a list: nested, balanced, and the same on any machine."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.frame_difference_reference import average_frame_difference

from mmpmg.datasets.preparation import (
    PreparationError,
    SubsetOptions,
    few_shot,
    fraction,
    frame_difference,
    make_subsets,
    thirds,
)
from mmpmg.datasets.preparation.video_list import ListedVideo

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=6)
SEEDS = st.integers(0, 2**70)


def videos(sizes):
    return [
        ListedVideo(f"class {label}/v_{k} (é).avi", label, f"list, line {k}")
        for label, size in enumerate(sizes)
        for k in range(size)
    ]


@given(SIZES, SEEDS, st.data())
def test_few_shot_is_balanced_nested_and_independent_of_the_order(sizes, seed, data):
    whole = videos(sizes)
    shots = data.draw(st.integers(1, min(sizes)))
    drawn = few_shot(whole, shots, seed, len(sizes))
    assert Counter(video.label for video in drawn) == dict.fromkeys(range(len(sizes)), shots)
    assert set(drawn) <= set(whole) and len(set(drawn)) == len(drawn)
    assert few_shot(data.draw(st.permutations(whole)), shots, seed, len(sizes)) == drawn
    for fewer in range(1, shots):
        assert set(few_shot(whole, fewer, seed, len(sizes))) < set(drawn)
    # Other classes do not matter.
    first = [video for video in whole if video.label == 0]
    assert few_shot(first, shots, seed, 1) == [video for video in drawn if video.label == 0]


@given(SIZES, SEEDS, st.floats(0.01, 1), st.floats(0.01, 1))
def test_fractions_are_balanced_and_nested(sizes, seed, share, other):
    whole = videos(sizes)
    drawn = fraction(whole, share, seed, len(sizes))
    for label, count in Counter(video.label for video in drawn).items():
        assert abs(count - share * sizes[label]) <= 0.5 or count == 1
    assert len(Counter(video.label for video in drawn)) == len(sizes)
    smaller, larger = sorted((drawn, fraction(whole, other, seed, len(sizes))), key=len)
    assert set(smaller) <= set(larger) or len(smaller) == len(larger)
    assert fraction(whole, 1.0, seed, len(sizes)) == sorted(whole, key=lambda v: (v.label, v.name))


@given(st.lists(st.floats(0, 255), min_size=1, max_size=40), st.data())
def test_large_and_small_part_a_list_in_halves_and_medium_is_between(values, data):
    whole = videos([len(values)])
    differences = {video.name: value for video, value in zip(whole, values)}
    parts = thirds(data.draw(st.permutations(whole)), differences)
    large, medium, small = (set(parts[name]) for name in ("large", "medium", "small"))
    assert not large & small and large | small == set(whole)
    assert abs(len(large) - len(small)) <= 1
    assert abs(len(medium) - len(whole) / 2) <= 0.5 + 1e-9
    for low, high in ((small, large), (small - medium, medium), (medium, large - medium)):
        for one, other in itertools.product(low, high):
            assert differences[one.name] <= differences[other.name]
    assert parts == thirds(whole, differences)


def test_seeds_draw_differently_and_evenly():
    whole = videos([5])
    seen = Counter(few_shot(whole, 1, seed, 1)[0].name for seed in range(1000))
    # 1000 draws of 5: 200 each, standard deviation 12.6
    assert all(abs(count - 200) < 60 for count in seen.values()) and len(seen) == 5


def test_the_draw_is_written_in_stone():
    """A list that a paper names must come out again in years, from another Python."""
    assert [v.name for v in few_shot(videos([12]), 3, 0, 1)] == STONE


STONE = ["class 0/v_0 (é).avi", "class 0/v_10 (é).avi", "class 0/v_5 (é).avi"]


def test_a_class_without_videos_is_mended_in_the_list_and_overlaps_by_val(tmp_path):
    """Advice about --shots or --num-classes would change nothing."""
    source, val = tmp_path / "some_train.txt", tmp_path / "some_val.txt"
    source.write_text("".join(f"{k}.avi {k}\n" for k in range(10) if k != 3))
    for parts in (dict(shots=[1]), dict(fractions=[0.5])):
        with pytest.raises(
            PreparationError, match="(?s)class 3 has .*add its videos.*renumber"
        ) as e:
            make_subsets(SubsetOptions(source, **parts))
        assert "--allow-fewer" not in str(e.value)
    source.write_text("a.avi 0\nb.avi 1\n")
    val.write_text("b.avi 1\n")
    with pytest.raises(PreparationError, match="b.avi is a video of some_train.txt, too") as error:
        make_subsets(SubsetOptions(source, shots=[1]))
    assert "--val names another list" in str(error.value)
    assert "--num-classes" not in str(error.value)


def test_classes_with_too_few_videos_are_named():
    whole = videos([3, 1, 2])
    with pytest.raises(
        PreparationError, match=r"class 1 \(b\) has 1 video, 2 are asked for\n.*--al"
    ):
        few_shot(whole, 2, 0, 3, classes=["a", "b", "c"])
    drawn = few_shot(whole, 2, 0, 3, allow_fewer=True)
    assert [video.label for video in drawn] == [0, 0, 1, 2, 2]
    with pytest.raises(PreparationError, match="class 3 has 0 videos"):
        few_shot(whole, 2, 0, 4, allow_fewer=True)
    for bad in (dict(shots=0), dict(seed=-1)):
        with pytest.raises(PreparationError, match=next(iter(bad))[:4]):
            few_shot(whole, **{**dict(shots=1, seed=0, num_classes=3), **bad})
    for share in (0, 1.5):
        with pytest.raises(PreparationError, match=f"--fractions {share}"):
            fraction(whole, share, 0, 3)


@pytest.fixture
def listed(tmp_path, record):
    """Six videos of two classes; number k changes by about 4 k grey levels a frame."""
    lines = []
    for k in range(6):
        frames = np.full((70, 32, 48, 3), 100, np.uint8)
        frames[::2] += np.uint8(4 * k)
        record(tmp_path / f"videos/{k}.avi", frames)
        lines.append(f"{k}.avi {k % 2}")
    (tmp_path / "set_train.txt").write_text("\r\n".join(lines))
    return tmp_path


def test_frame_difference_is_the_mean_absolute_difference(listed, record):
    for k in range(6):
        frames, difference = frame_difference(str(listed / f"videos/{k}.avi"))
        assert frames == 70  # more than are decoded at once
        assert difference == pytest.approx(4 * k, abs=1.5)
    rng = np.random.default_rng(0)
    noise = np.repeat(np.repeat(rng.integers(0, 256, (9, 7, 7, 3), dtype=np.uint8), 16, 1), 16, 2)
    record(listed / "noise.avi", noise)
    _, difference = frame_difference(str(listed / "noise.avi"))
    assert difference == pytest.approx(average_frame_difference(listed / "noise.avi"), rel=0.02)


def test_lists_are_written_where_recipes_look(listed, said):
    options = SubsetOptions(
        listed / "set_train.txt", shots=[1, 3], fractions=[0.5], seeds=[0, 4],
        by_frame_difference=True, workers=1,
    )  # fmt: skip
    make_subsets(options, said)
    names = {path.relative_to(listed).as_posix() for path in listed.rglob("*.txt")}
    assert names == {
        "set_train.txt", *(f"few_shot/{k}-shot_seed{s}.txt" for k in (1, 3) for s in (0, 4)),
        *(f"fraction/0.5_seed{s}.txt" for s in (0, 4)),
        *(f"frame_difference/{part}.txt" for part in ("large", "medium", "small")),
    }  # fmt: skip
    parts = {
        p: (listed / f"frame_difference/{p}.txt").read_text().split("\n")
        for p in ("large", "medium", "small")
    }
    assert parts["small"] == ["0.avi 0", "2.avi 0", "1.avi 1", ""]
    assert parts["large"] == ["4.avi 0", "3.avi 1", "5.avi 1", ""]
    assert parts["medium"] == ["2.avi 0", "4.avi 0", "3.avi 1", ""]
    make_subsets(options, said)
    assert "1-shot_seed0.txt: already there" in said


def test_measurements_are_kept_and_go_on_after_a_kill(listed, record):
    options = SubsetOptions(listed / "set_train.txt", by_frame_difference=True, workers=1)
    make_subsets(options, list().append)
    table = listed / "frame_difference/differences.csv"
    lines = table.read_text().splitlines(keepends=True)
    assert lines[0] == "path,bytes,frames,mean_abs_difference_112px\n" and len(lines) == 7
    # What is in the table is not measured again; a cut line, and a video that changed, are.
    forged = [line if line[0] != "0" else f"{line.rsplit(',', 1)[0]},99.0\n" for line in lines]
    table.write_text("".join(forged[:-1]) + forged[-1][:9])
    lost = forged[-1].split(",")[0]
    changed = next(name for name in ("1.avi", "2.avi") if name != lost)
    record(listed / "videos" / changed, np.zeros((5, 32, 48, 3), np.uint8))
    counted = []

    class Bar:
        def __init__(self, total):
            counted.append(total)

        def add(self, count=1): ...
        def finish(self): ...

    make_subsets(SubsetOptions(options.source, by_frame_difference=True, workers=1, force=True),
                 list().append, Bar)  # fmt: skip
    assert counted == [2]
    assert "0.avi 0" in (listed / "frame_difference/large.txt").read_text()
    assert f"{changed} " in (listed / "frame_difference/small.txt").read_text()
    table.write_text("name,value\n")
    with pytest.raises(PreparationError, match=r"differences\.csv, line 1: is no table"):
        make_subsets(options, list().append)
    table.write_text(lines[0] + "0.avi,x,3,4\n")
    with pytest.raises(PreparationError, match=r"differences\.csv, line 2: '0.avi,x,3,4'"):
        make_subsets(options, list().append)


def test_videos_without_a_difference(listed, record, said):
    record(listed / "videos/3.avi", np.zeros((1, 32, 48, 3), np.uint8))
    (listed / "videos/4.avi").unlink()
    options = SubsetOptions(listed / "set_train.txt", by_frame_difference=True, workers=1)
    with pytest.raises(PreparationError, match=r"2 of 6 videos .*differences\.missing\.txt"):
        make_subsets(options, said)
    report = (listed / "frame_difference/differences.missing.txt").read_text()
    assert "3.avi: cannot be decoded (it has 1 frame" in report and "4.avi: does not" in report
    make_subsets(SubsetOptions(options.source, by_frame_difference=True, allow_missing=True), said)
    assert "left out, as --allow-missing asks" in said
    assert (listed / "frame_difference/small.txt").read_text() == "0.avi 0\n1.avi 1\n"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a.avi 0\nb.avi\n", {}, r"set_train\.txt, line 2: 'b.avi' is not a path and a whole"),
        ("a.avi 0\na.avi 1\n", {}, r"line 2: a.avi stands in .*line 1, too, with label 1 here"),
        ("a.avi 0\nb.avi 2\n", {}, "class 1 has 0 videos"),
        ("a.avi 0\nb.avi 2\n", dict(num_classes=0), r"--num-classes 0: must be 1 or more"),
        ("a.avi 0\nb.avi 2\n", dict(num_classes=-3), r"--num-classes -3: must be 1 or more"),
        ("a.avi 0\nb.avi 1\n", dict(out=Path(__file__)), r"is a file: .*--out"),
        ("a.avi 0\nb.avi 2\n", dict(num_classes=2), r"line 2: label 2 of b.avi .*\[0, 1\]"),
        ("a.avi 0\nv.avi 0\n", {}, r"set_val\.txt, line 1: v.avi is a video of set_train"),
        ("", {}, "names no video"),
        ("a.avi 0\n", dict(shots=()), "--shots, --fractions or --frame-difference"),
    ],
)  # fmt: skip
def test_bad_lists(tmp_path, text, options, message):
    (tmp_path / "set_train.txt").write_text(text)
    (tmp_path / "set_val.txt").write_text("v.avi 0\n")
    with pytest.raises(PreparationError, match=message):
        make_subsets(SubsetOptions(tmp_path / "set_train.txt", **{"shots": [1], **options}))
    assert not (tmp_path / "few_shot").exists()


def test_marks_and_line_ends_of_windows_are_no_part_of_names(tmp_path):
    (tmp_path / "t.txt").write_bytes("\ufeffa b.avi 0\r\n\r\nc.avi\t1\r\n".encode())
    make_subsets(SubsetOptions(tmp_path / "t.txt", shots=[1]))
    assert (tmp_path / "few_shot/1-shot_seed0.txt").read_bytes() == b"a b.avi 0\nc.avi 1\n"


def test_classes_beside_the_list_tell_of_an_empty_one(tmp_path):
    (tmp_path / "t.txt").write_text("a.avi 0\nb.avi 1\n")
    (tmp_path / "classes.txt").write_text("jump\nrun\nswim\n")
    with pytest.raises(PreparationError, match=r"class 2 \(swim\) has 0 videos"):
        make_subsets(SubsetOptions(tmp_path / "t.txt", shots=[1]))


def test_diving48_has_a_class_without_videos(tmp_path):
    """Label 30 of version 2; the 47 others must be there."""
    lines = [f"{k}.mp4 {k}\n" for k in range(48) if k != 30]
    source = tmp_path / "diving48_train_videos.txt"
    source.write_text("".join(lines))
    make_subsets(SubsetOptions(source, shots=[1], fractions=[1.0]))
    assert (tmp_path / "few_shot/1-shot_seed0.txt").read_text() == "".join(lines)
    assert (tmp_path / "fraction/1_seed0.txt").read_text() == "".join(lines)
    source.write_text("".join(lines[:-1]))
    for parts in (dict(shots=[2], allow_fewer=True), dict(fractions=[0.5])):
        with pytest.raises(PreparationError, match="^class 47 has"):
            make_subsets(SubsetOptions(source, **parts))
