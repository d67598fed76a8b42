"""Missing and broken videos, what was there before, and what may not be overwritten."""

import os
from pathlib import Path

import pytest

from mmpmg.datasets.preparation import PathLabelLists, PreparationError, PreparationOptions, prepare
from mmpmg.datasets.preparation.sources import FACTS
from mmpmg.datasets.preparation.video_index import VideoIndex

TRAIN = [f"class_{k:02d}/train {k}.avi" for k in range(12)]
VAL = [f"class_{k:02d}/val {k}.avi" for k in range(12)]


@pytest.fixture
def ikea(tmp_path, put):
    put(tmp_path / "ikeafa/videos", [*TRAIN, *VAL])
    for part, names in (("train", TRAIN), ("val", VAL)):
        (tmp_path / f"{part}.csv").write_text(
            "".join(f"{name};{k}\n" for k, name in enumerate(names))
        )
    return tmp_path


def run(root, said=lambda line: None, **options):
    source = PathLabelLists("ikeafa", root / "train.csv", root / "val.csv")
    prepare(source, PreparationOptions(**dict(dict(root=root, workers=2), **options)), said)


def written(root):
    return {path.name: path.read_bytes() for path in root.glob("ikeafa/*.txt")}


@pytest.mark.parametrize("how", ["absent", "empty", "text", "a broken link"])
def test_videos_that_are_missing_or_broken(ikea, said, how):
    bad = ikea / "ikeafa/videos" / VAL[7]
    bad.unlink()
    if how == "a broken link":
        bad.symlink_to(ikea / "nowhere.avi")
    elif how != "absent":
        bad.write_bytes(b"" if how == "empty" else b"<html>404 not found</html>")
    # Another class keeps its video, so that leaving this one out is possible.
    (ikea / "val.csv").write_text((ikea / "val.csv").read_text() + "class_07/more.avi;7\n")
    (ikea / "ikeafa/videos/class_07/more.avi").write_bytes(
        (ikea / "ikeafa/videos" / VAL[0]).read_bytes()
    )
    with pytest.raises(
        PreparationError, match=r"1 video is.*videos\.missing\.txt.*--allow-missing"
    ):
        run(ikea, said)
    assert "ikeafa_val_videos.txt: 1 of 13 videos cannot be used" in said
    reason = dict(empty="the file is empty", text="begins with b'<html>404").get(
        how, "does not exist"
    )
    assert reason in said
    assert set(written(ikea)) == {"ikeafa_val_videos.missing.txt"}
    assert written(ikea)["ikeafa_val_videos.missing.txt"].startswith(VAL[7].encode())

    run(ikea, said, allow_missing=True)
    found = written(ikea)
    assert VAL[7].encode() not in found["ikeafa_val_videos.txt"]
    assert found["ikeafa_val_videos.txt"].count(b"\n") == 12
    assert found["ikeafa_train_videos.txt"].count(b"\n") == 12

    bad.unlink(missing_ok=True)
    bad.write_bytes((ikea / "ikeafa/videos" / VAL[0]).read_bytes())
    run(ikea, said, force=True)
    assert "ikeafa_val_videos.missing.txt" not in written(ikea)  # it was of an earlier run
    assert written(ikea)["ikeafa_val_videos.txt"].count(b"\n") == 13


def test_absent_and_broken_videos_stand_in_one_report(ikea, said):
    folder = ikea / "ikeafa/videos"
    for part, names in (("train", TRAIN), ("val", VAL)):
        names = [f"class_05/{part} {what}.avi" for what in ("absent", "broken")]
        (ikea / f"{part}.csv").write_text(
            (ikea / f"{part}.csv").read_text() + "".join(f"{name};5\n" for name in names)
        )
        (folder / names[1]).write_bytes(b"")
    run(ikea, said, allow_missing=True)
    for part in ("train", "val"):
        report = written(ikea)[f"ikeafa_{part}_videos.missing.txt"].decode().splitlines()
        assert report == [
            f"class_05/{part} absent.avi: does not exist",
            f"class_05/{part} broken.avi: the file is empty",
        ]


def test_existence_alone_does_not_open(ikea):
    (ikea / "ikeafa/videos" / VAL[7]).write_bytes(b"")
    run(ikea, open_videos=False)
    assert written(ikea)["ikeafa_val_videos.txt"].count(b"\n") == 12


def test_a_class_that_loses_all_its_videos_is_an_error_even_if_some_may_be_missing(ikea):
    (ikea / "ikeafa/videos" / TRAIN[3]).unlink()
    with pytest.raises(PreparationError, match=r"train_videos\.txt: 1 of 12 classes .* 3 \(class"):
        run(ikea, allow_missing=True)
    assert "ikeafa_train_videos.txt" not in written(ikea)


def test_nothing_is_overwritten_unless_told_to(ikea, said):
    run(ikea)
    before = written(ikea)
    run(ikea, said)
    assert "ikeafa_val_videos.txt: already there, with the same content" in said
    theirs = ikea / "ikeafa/ikeafa_val_videos.txt"
    theirs.write_text("mine 0\n")
    (ikea / "ikeafa/ikeafa_train_videos.txt").unlink()
    with pytest.raises(
        PreparationError, match=r"val_videos\.txt exists and has other.*\n.*--force"
    ):
        run(ikea)
    assert theirs.read_text() == "mine 0\n"
    assert not (ikea / "ikeafa/ikeafa_train_videos.txt").exists()  # all or none
    run(ikea, said, force=True)
    assert written(ikea) == before
    assert "ikeafa_val_videos.txt: 12 lines (replaced)" in said
    assert list(ikea.rglob("*.part")) == []


def test_two_names_of_one_file_are_an_error(ikea):
    (ikea / "val.csv").write_text((ikea / "val.csv").read_text() + "elsewhere/train 3.mp4;3\n")
    with pytest.raises(
        PreparationError,
        match=r"val\.csv, line 13: class_03/train 3.avi is a video of ikeafa_train",
    ):
        run(ikea)


def test_a_file_is_no_folder_for_lists(ikea):
    (ikea / "lists").write_text("mine")
    with pytest.raises(PreparationError, match=r"lists is a file: name a folder .*--out"):
        run(ikea, out=ikea / "lists")


def test_a_missing_folder_of_videos_is_named(ikea):
    with pytest.raises(PreparationError, match="none is no folder: .*--videos"):
        run(ikea, videos=ikea / "none")
    (ikea / "none").mkdir()
    with pytest.raises(PreparationError, match=r"none holds no video \(\.avi"):
        run(ikea, videos=ikea / "none")


def test_the_index_finds_files_under_other_folders_and_endings(tmp_path, put):
    put(tmp_path, [
        "a/x.avi", "b/x.avi", "b/c/y.mp4", "y.webm", "z...(1).MP4", "v/m.avi", "v/m.mp4", "q.txt",
    ])  # fmt: skip
    index = VideoIndex(tmp_path)
    assert "q.txt" not in index.paths
    for name, paths in {
        "a/x.avi": ["a/x.avi"],
        "set/videos/b/x": ["b/x.avi"],
        "x.avi": ["a/x.avi", "b/x.avi"],
        "old/c/y.avi": ["b/c/y.mp4"],
        "y.webm": ["y.webm"],
        "z...(1)": ["z...(1).MP4"],
        "z.": [],
        "m.mp4": ["v/m.mp4"],
        "v/m": ["v/m.avi", "v/m.mp4"],
        "X": [],
    }.items():
        assert index.find(name) == paths, name


def test_a_namesake_in_another_folder_does_not_stand_in_where_the_folder_is_there(tmp_path, put):
    put(tmp_path, ["run/1.avi", "run a b/9.avi", "val/run/2.avi", "walk/3.avi"])
    (tmp_path / "jump").mkdir()
    (tmp_path / "train/run").mkdir(parents=True)
    index = VideoIndex(tmp_path)
    for name, paths in {
        "walk/1.avi": [],
        "set/walk/1.avi": [],
        "jump/1.avi": [],  # it holds no video at all
        "train/run/2.avi": [],
        "run/3.avi": [],
        "elsewhere/1.avi": ["run/1.avi"],
        "run/2.avi": ["val/run/2.avi"],
        "run_a_b/9": ["run a b/9.avi"],
        "run_a_b/1": [],
    }.items():
        assert index.find(name) == paths, name


def test_a_missing_video_is_not_replaced_by_one_of_another_class(ikea, said):
    folder = ikea / "ikeafa/videos"
    (folder / "class_01/t.avi").write_bytes((folder / VAL[0]).read_bytes())
    (ikea / "val.csv").write_text((ikea / "val.csv").read_text() + "class_07/t.avi;7\n")
    with pytest.raises(PreparationError, match="1 videos? (is|are) missing"):
        run(ikea, said)
    assert "class_07/t.avi: does not exist in its folder; class_01/t.avi has its name" in said


def test_other_folders_than_in_the_list_are_reported(ikea, said):
    text = (ikea / "val.csv").read_text().replace("class_07/", "seventh/")
    (ikea / "val.csv").write_text(text)
    run(ikea, said, open_videos=False)
    wanted = "1 of 12 videos are in folders of other names than in the list, for example "
    assert f"ikeafa_val_videos.txt: {wanted}seventh/val 7.avi as {VAL[7]}" in said
    assert len([line for line in said if "folders of other names" in line]) == 1


def test_the_index_follows_links_and_ends_at_circles(tmp_path, put):
    put(tmp_path / "disk", ["a/x.avi"])
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/link").symlink_to(tmp_path / "disk")
    (tmp_path / "disk/a/again").symlink_to(tmp_path / "videos")
    assert VideoIndex(tmp_path / "videos").paths == ["link/a/x.avi"]


def test_names_that_are_not_utf8_are_found_but_refused(ikea):
    """MMAction2 would raise in the middle of a run."""
    folder = os.fsencode(ikea / "ikeafa/videos/class_07")
    os.rename(folder + b"/val 7.avi", folder + b"/\xe4.avi")
    data = (ikea / "val.csv").read_bytes().replace(VAL[7].encode(), b"class_07/\xe4.avi")
    (ikea / "val.csv").write_bytes(data)
    with pytest.raises(PreparationError, match=r"class_07/\\xe4.*UTF-8: rename"):
        run(ikea, open_videos=False)
    assert written(ikea) == {}


def test_the_lists_have_the_names_and_sizes_of_the_recipes():
    assert {name: facts.num_classes for name, facts in FACTS.items()} == dict(
        ucf101=101, hmdb51=51, diving48=48, ssv2=174, ssv2_mini=87, ikeafa=12, uav_human=155,
        kinetics400=400, mimetics=50,
    )  # fmt: skip
    # 13,320 videos of UCF101 in each of its splits.
    assert {train + val for train, val in FACTS["ucf101"].sizes.values()} == {13320}
    recipes = Path(__file__).parents[3] / "configs/_base_/datasets"
    few = (recipes / "demvm_recognition_mimetics.py").read_text()  # the one without own splits
    assert "data/mimetics/videos" in few
    for part in ("train", "val"):
        assert f"data/mimetics/mimetics_{part}_2-shot_seed0_videos.txt" in few
    for name, facts in FACTS.items():
        if name == "mimetics":
            continue
        text = (recipes / f"{name}.py").read_text()
        assert f"data/{name}/videos" in text
        for part in ("train", "val"):
            split = min(facts.sizes, default=0)
            assert f"data/{name}/{facts.video_list(part, [], split).file_name}" in text
