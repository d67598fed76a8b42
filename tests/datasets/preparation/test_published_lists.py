"""Every data set's own files become MMAction2's lists; bad ones are named by file and line."""

import json
import re

import pytest

from mmpmg.datasets import CheckedVideoDataset
from mmpmg.datasets.preparation import (
    HMDB51,
    UCF101,
    Diving48,
    IkeaFA,
    Kinetics400,
    MiniSSv2,
    PathLabelLists,
    PreparationError,
    PreparationOptions,
    SSv2,
    UAVHuman,
    prepare,
)
from mmpmg.datasets.preparation.named_videos import training_persons

HMDB = [f"class_{k:02d}" for k in range(51)]


def run(source, root, said=lambda line: None, **options):
    """Prepare without opening the videos, and return the lists that were written."""
    prepare(source, PreparationOptions(**dict(dict(root=root, open_videos=False), **options)), said)
    return lists(root)


def lists(root):
    found = {path.name: path.read_text() for path in root.glob("*/*.txt")}
    return {name: text.splitlines() for name, text in found.items()}


@pytest.fixture
def ucf(tmp_path, put):
    classes = [f"Class{k}" for k in range(101)]
    folder = tmp_path / "ucf101/annotations/ucfTrainTestlist"
    folder.mkdir(parents=True)
    numbered = [f"{k + 1} {name}" for k, name in enumerate(classes)]
    # Windows line ends, as in the official files.
    (folder / "classInd.txt").write_bytes("\r\n".join([*numbered, ""]).encode())
    train = [f"{name}/v_{name}_g08_c01.avi" for name in classes]
    test = [f"{name}/v_{name}_g01_c01.avi" for name in classes]
    (folder / "trainlist01.txt").write_bytes(
        "".join(f"{path} {k + 1}\r\n" for k, path in enumerate(train)).encode()
    )
    (folder / "testlist01.txt").write_bytes("\r\n".join(test).encode())
    put(tmp_path / "ucf101/videos", [*train, *test])
    return tmp_path


def test_ucf101(ucf, said):
    found = run(UCF101(ucf / "ucf101/annotations", [1]), ucf, said, open_videos=True)
    assert set(found) == {
        "ucf101_train_split_1_videos.txt", "ucf101_val_split_1_videos.txt", "classes.txt",
    }  # fmt: skip
    assert found["ucf101_train_split_1_videos.txt"][7] == "Class7/v_Class7_g08_c01.avi 7"
    assert found["ucf101_val_split_1_videos.txt"][100] == "Class100/v_Class100_g01_c01.avi 100"
    assert found["classes.txt"][3] == "Class3"
    assert "101 videos; the published list has 9537" in said


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("trainlist01.txt", "c01.avi 4", "c01.avi 5", "trainlist01.txt, line 4: .* label 5.*4"),
        ("trainlist01.txt", "Class3/v", "Clas3/v", "trainlist01.txt, line 4: 'Clas3/v_Class3_g08"),
        ("testlist01.txt", "Class3/v_Class3_g01", "Class3/v_Class3_g08",
         r"testlist01.txt, line 4: Class3/v_Class3_g08_c01.avi is a video of ucf101_train.*line 4"),
        ("testlist01.txt", "Class3/v_Class3_g01", "Class2/v_Class2_g01",
         "testlist01.txt, line 4: .*stands in .*testlist01.txt, line 3"),
        ("testlist01.txt", "Class3/v_Class3_g01_c01.avi\r\n", "", "1 of 101 .* 3 .Class3."),
        ("classInd.txt", "4 Class3\r\n", "", "classInd.txt, line 4: '5 Class4' should be '4 CLASS"),
        ("classInd.txt", "101 Class100\r\n", "", "has 100 classes instead of 101"),
    ],
    ids=["label", "class", "overlap", "twice", "empty class", "gap", "class count"],
)  # fmt: skip
def test_bad_lists_of_ucf101(ucf, file, old, new, message):
    path = next((ucf / "ucf101").glob(f"*/*/{file}"))
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())
    with pytest.raises(PreparationError, match=message):
        run(UCF101(ucf / "ucf101/annotations", [1]), ucf)
    assert lists(ucf) == {}


def test_a_list_that_is_not_there_says_where_to_get_it(ucf):
    with pytest.raises(PreparationError, match=r"trainlist02\.txt\. Unpack UCF101Train.*http"):
        run(UCF101(ucf / "ucf101/annotations", [1, 2]), ucf)


ODD = "Der_Lachsack!_(Laughing#Bag)_[keep]_on&smiling;_a@b+c_..._laugh_f_nm_np1_fr_goo_{}.avi"


@pytest.fixture
def hmdb(tmp_path, put):
    folder = tmp_path / "hmdb51/annotations"
    folder.mkdir(parents=True)
    for name in HMDB:
        rows = [f"{ODD.format(k)} {use} " for k, use in enumerate((1, 2, 0))]
        for split in (1, 2):
            (folder / f"{name}_test_split{split}.txt").write_text("\n".join(rows))
        # The same names in every class: the folder decides.
        put(tmp_path / "hmdb51/videos", [f"{name}/{ODD.format(k)}" for k in range(3)])
    return tmp_path


def test_hmdb51_with_odd_names(hmdb):
    found = run(HMDB51(hmdb / "hmdb51/annotations", [1, 2]), hmdb, open_videos=True)
    for split in (1, 2):
        train = found[f"hmdb51_train_split_{split}_videos.txt"]
        assert train == [f"{name}/{ODD.format(0)} {k}" for k, name in enumerate(HMDB)]
        assert found[f"hmdb51_val_split_{split}_videos.txt"][5] == f"class_05/{ODD.format(1)} 5"
    assert found["classes.txt"] == HMDB
    folder = hmdb / "hmdb51"
    dataset = CheckedVideoDataset(
        str(folder / "hmdb51_val_split_1_videos.txt"), [], dict(video=str(folder / "videos"))
    )
    assert dataset.get_data_info(7)["filename"] == str(folder / f"videos/class_07/{ODD.format(1)}")
    assert [dataset.get_data_info(k)["label"] for k in range(51)] == list(range(51))


def test_bad_lists_of_hmdb51(hmdb):
    path = hmdb / "hmdb51/annotations/class_07_test_split1.txt"
    path.write_text("a.avi 3\nb.avi\n")
    with pytest.raises(PreparationError, match=r"(?s)split1\.txt, line 1: 'a.avi 3'.*line 2"):
        run(HMDB51(hmdb / "hmdb51/annotations", [1]), hmdb)
    path.unlink()
    with pytest.raises(PreparationError, match="has 50 files CLASS_test_split1.txt instead of 51"):
        run(HMDB51(hmdb / "hmdb51/annotations", [1]), hmdb)


@pytest.fixture
def diving(tmp_path, put):
    folder = tmp_path / "diving48/annotations"
    folder.mkdir(parents=True)
    vocabulary = [["Back", "15som", "05Twis", str(k)] for k in range(48)]
    (folder / "Diving48_vocab.json").write_text(json.dumps(vocabulary))
    for part in ("train", "test"):
        entries = [
            dict(vid_name=f"-x_{part}_{k:05d}", label=k, start_frame=0, end_frame=9)
            for k in range(48)
            if k != 30  # of which version 2 has none
        ]
        (folder / f"Diving48_V2_{part}.json").write_text(json.dumps(entries))
        put(tmp_path / "diving48/videos/rgb", [f"{e['vid_name']}.mp4" for e in entries])
    return tmp_path


def test_diving48(diving):
    found = run(Diving48(diving / "diving48/annotations"), diving)
    assert found["diving48_train_videos.txt"][31] == "rgb/-x_train_00032.mp4 32"
    assert found["diving48_val_videos.txt"][0] == "rgb/-x_test_00000.mp4 0"
    assert found["classes.txt"][2] == "Back 15som 05Twis 2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(label=48), r"train\.json, entry 5: label 48 of .* in \[0, 47\]"),
        (lambda e: e.update(label="x"), r"train\.json, entry 5: needs vid_name and a whole"),
        (lambda e: e.pop("vid_name"), r"train\.json, entry 5: needs vid_name"),
    ],
)
def test_bad_entries_of_diving48(diving, change, message):
    path = diving / "diving48/annotations/Diving48_V2_train.json"
    entries = json.loads(path.read_text())
    change(entries[4])
    path.write_text(json.dumps(entries))
    with pytest.raises(PreparationError, match=message):
        run(Diving48(diving / "diving48/annotations"), diving)
    path.write_text("[{")
    with pytest.raises(PreparationError, match=r"train\.json, line 1: is not JSON"):
        run(Diving48(diving / "diving48/annotations"), diving)


def ssv2_files(root, put):
    """Write the 174 classes, one video of each in both lists, under the names that SSv2 gives."""
    folder = root / "annotations/labels"
    folder.mkdir(parents=True)
    templates = [f"Putting [something] {k:03d} next to [something]" for k in range(174)]
    for part, first in (("train", 0), ("validation", 1000)):
        entries = [
            dict(id=str(first + k), label="x", template=text, placeholders=["a"])
            for k, text in enumerate(templates)
        ]
        (folder / f"{part}.json").write_text(json.dumps(entries))
        put(root / "videos", [f"{entry['id']}.webm" for entry in entries])
    # Labels of their own order, and of the type that the published file has: text.
    names = [text.replace("[", "").replace("]", "") for text in templates]
    labels = {name: str(173 - k) for k, name in enumerate(names)}
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


@pytest.fixture
def ssv2(tmp_path, put):
    ssv2_files(tmp_path / "ssv2_mini", put)
    return tmp_path


def test_ssv2_has_the_labels_of_its_own_file(tmp_path, put):
    ssv2_files(tmp_path / "ssv2", put)
    found = run(SSv2(tmp_path / "ssv2/annotations"), tmp_path)
    assert found["ssv2_train_videos.txt"] == [f"{k}.webm {173 - k}" for k in range(174)]
    assert found["ssv2_val_videos.txt"] == [f"{1000 + k}.webm {173 - k}" for k in range(174)]
    assert found["classes.txt"][0] == "Putting something 173 next to something"
    assert len(found["classes.txt"]) == 174


def test_ssv2_names_a_class_that_its_labels_do_not_know(tmp_path, put):
    folder = ssv2_files(tmp_path / "ssv2", put)
    entries = json.loads((folder / "validation.json").read_text())
    entries[6]["template"] = "Folding [something]"
    (folder / "validation.json").write_text(json.dumps(entries))
    with pytest.raises(
        PreparationError, match=r"validation\.json, entry 7: 'Folding something' is no"
    ):
        run(SSv2(tmp_path / "ssv2/annotations"), tmp_path)
    assert not list(tmp_path.glob("ssv2/*.txt"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda labels: labels.popitem(), "173 names for 173 labels; it must have one for each of"),
        (lambda labels: labels.update({min(labels): "5"}), "174 names for 173 labels"),
        (lambda labels: labels.update({min(labels): "first"}), "must have a whole number"),
        (lambda labels: labels.update({min(labels).upper(): "174"}), "175 names for 175 labels"),
    ],
)
def test_ssv2_with_other_labels_than_174(tmp_path, put, change, message):
    folder = ssv2_files(tmp_path / "ssv2", put)
    labels = json.loads((folder / "labels.json").read_text())
    change(labels)
    (folder / "labels.json").write_text(json.dumps(labels))
    with pytest.raises(PreparationError, match=message):
        run(SSv2(tmp_path / "ssv2/annotations"), tmp_path)


def test_ssv2_mini_by_names_and_by_a_list_of_videos(ssv2):
    names = [f"putting something {k:03d} next to something" for k in range(173, 86, -1)]
    classes = ssv2 / "classes87.txt"
    classes.write_text("\n" + "\n".join(names))
    source = MiniSSv2(ssv2 / "ssv2_mini/annotations", classes)
    found = run(source, ssv2)
    assert found["ssv2_mini_train_videos.txt"][0] == "87.webm 86"
    assert found["ssv2_mini_val_videos.txt"][86] == "1173.webm 0"
    assert len(found["ssv2_mini_train_videos.txt"]) == len(found["classes.txt"]) == 87

    voted = ssv2 / "val.csv"
    voted.write_text("\r\n".join(f"s/videos/{1173 - k}.webm;{k}" for k in range(87)))
    assert run(MiniSSv2(source.annotations, voted), ssv2, force=True) == {
        **found,
        "classes.txt": [f"Putting something {k:03d} next to something" for k in range(173, 86, -1)],
    }
    voted.write_text(voted.read_text().replace(";86", ";85"))
    with pytest.raises(PreparationError, match=r"val\.csv, line 87: label 85 is 'Putting"):
        run(MiniSSv2(source.annotations, voted), ssv2)


def test_classes_that_ssv2_does_not_have(ssv2):
    names = [f"Putting something {k:03d} next to something" for k in range(87)]
    classes = ssv2 / "classes87.txt"
    source = MiniSSv2(ssv2 / "ssv2_mini/annotations", classes)
    classes.write_text("\n".join([*names[:-1], "Folding something"]))
    with pytest.raises(PreparationError, match="'folding something' is no class of SSv2"):
        run(source, ssv2)
    for wrong in (names[:-1], [*names[:-1], names[0]]):
        classes.write_text("\n".join(wrong))
        with pytest.raises(PreparationError, match="instead of 87|twice"):
            run(source, ssv2)


def test_uav_human_parts_persons_and_takes_labels_from_names(tmp_path, put):
    name = "P{:03d}S01G10B00H10UC102000LC092000A{:03d}R0_09131758.avi"
    videos = tmp_path / "uav_human/videos"
    put(videos, [name.format(person, k) for k in range(155) for person in (2, 1)])
    found = run(UAVHuman(), tmp_path)
    assert found["uav_human_train_videos.txt"] == [f"{name.format(2, k)} {k}" for k in range(155)]
    assert found["uav_human_val_videos.txt"] == [f"{name.format(1, k)} {k}" for k in range(155)]
    # In version 2 both are for testing.
    with pytest.raises(PreparationError, match="uav_human_v2_train_videos.txt: 155 of 155 classes"):
        run(UAVHuman(protocol=2), tmp_path)
    put(videos, [name.format(0, 200), "P1.avi"])
    with pytest.raises(PreparationError, match=r"P1\.avi: no name like"):
        run(UAVHuman(), tmp_path)
    (videos / "P1.avi").unlink()
    with pytest.raises(PreparationError, match=r"A200R0.*: label 200 .*\[0, 154\]"):
        run(UAVHuman(), tmp_path)


def test_the_persons_of_uav_human_are_the_89_of_119_of_both_protocols():
    for protocol, absent in ((1, {1, 3, 4, 9, 72, 74, 75, 99, 113}), (2, {1, 2, 7, 9, 105, 116})):
        persons = training_persons(protocol)
        assert len(persons) == len(set(persons)) == 89
        assert persons == sorted(persons) and persons[0] == 0 and persons[-1] == 118
        assert not absent & set(persons)


def test_ikeafa(tmp_path, put):
    classes = [f"{verb}_leg_{k}" for verb in ("attach", "detach") for k in (1, 2, 3, 4)]
    classes += ["flip_over", "pick_leg", "spin_in", "spin_out"]
    videos = tmp_path / "ikeafa/videos"
    put(videos, [f"{n}/GOPR0020_00{p}00_00294_{p}.MP4" for n in classes for p in ("05", "09")])
    found = run(IkeaFA(), tmp_path)
    assert found["ikeafa_train_videos.txt"][10] == "spin_in/GOPR0020_000500_00294_05.MP4 10"
    assert found["ikeafa_val_videos.txt"][0] == "attach_leg_1/GOPR0020_000900_00294_09.MP4 0"
    put(videos, ["spin/GOPR0020_00117_00294_05.MP4"])
    with pytest.raises(PreparationError, match="spin/GOPR0020_00117_00294_05.MP4: is not CLASS"):
        run(IkeaFA(), tmp_path)


@pytest.mark.parametrize("layout", ["{}/{}.mp4", "train/{1}.mp4", "{}/{}.webm"])
def test_kinetics400_in_any_layout(tmp_path, put, layout, said):
    classes = [f"doing thing {k:03d}" for k in range(400)]
    folder = tmp_path / "kinetics400/annotations"
    folder.mkdir(parents=True)
    for part, start in (("train", 5), ("validate", 120)):
        rows = [f'"{name}",-id_{k},{start},{start + 10},{part},0' for k, name in enumerate(classes)]
        (folder / f"{part}.csv").write_text(
            "\r\n".join(["label,youtube_id,time_start,time_end,split,is_cc", *rows])
        )
        put(tmp_path / "kinetics400/videos", [
            layout.format(name, f"-id_{k}_{start:06d}_{start + 10:06d}")
            for k, name in enumerate(classes)
        ])  # fmt: skip
    source = Kinetics400(folder)
    found = run(source, tmp_path, said)
    clip = layout.format("doing thing 399", "-id_399_000120_000130")
    assert found["kinetics400_val_videos.txt"][399] == f"{clip} 399"
    assert ("400 names hold blanks" in said) == (" " in clip)
    assert found["classes.txt"][0] == "doing_thing_000"
    text = (folder / "train.csv").read_text()
    (folder / "train.csv").write_text(text.replace("time_end", "end", 1))
    with pytest.raises(PreparationError, match=r"train\.csv, line 1: has no column time_end"):
        run(source, tmp_path)
    (folder / "train.csv").write_text(text.replace(",5,15,", ",x,15,", 1))
    with pytest.raises(PreparationError, match=r"train\.csv, line 2: time_start and time_end"):
        run(source, tmp_path)
    (folder / "train.csv").write_text(text.replace("thing 399", "thing 398"))
    with pytest.raises(PreparationError, match="399 classes instead of 400"):
        run(source, tmp_path)


def test_lists_of_synapt(hmdb, said):
    """Their videos have folders above, and no ending."""
    paths = [f"hmdb51/videos/{name}/{ODD.format(k)[:-4]}" for k in range(2) for name in HMDB[::-1]]
    for part, names in (("train", paths[:51]), ("val", paths[51:])):
        (hmdb / f"{part}.csv").write_text(
            "\r\n".join(f"{name};{k}" for k, name in enumerate(names))
        )
    source = PathLabelLists("hmdb51", hmdb / "train.csv", hmdb / "val.csv")
    found = run(source, hmdb, said)
    assert found["hmdb51_train_split_1_videos.txt"][0] == f"class_50/{ODD.format(0)} 0"
    assert found["classes.txt"] == HMDB[::-1]
    assert "51 videos; the published list has 3570" in said
    # Another order of classes than the official lists': not mixed up with those.
    with pytest.raises(PreparationError, match=r"classes\.txt exists and has other content"):
        run(HMDB51(hmdb / "hmdb51/annotations", [1]), hmdb)
    (hmdb / "val.csv").write_text(f"{paths[51]} 0\n")
    with pytest.raises(PreparationError, match=r"val\.csv, line 1: .*parted by ';'"):
        run(source, hmdb)
    with pytest.raises(PreparationError, match="must be one of ucf101, hmdb51"):
        PathLabelLists("hmdb", hmdb / "train.csv")
    with pytest.raises(PreparationError, match="--train, --val or both"):
        PathLabelLists("hmdb51")


def test_a_list_of_synapt_that_comes_later_is_compared_with_the_one_already_there(hmdb):
    paths = [f"{name}/{ODD.format(k)}" for k in range(2) for name in HMDB]
    train, val = hmdb / "train.csv", hmdb / "val.csv"
    train.write_text("".join(f"{name};{k}\n" for k, name in enumerate(paths[:51])))
    val.write_text("".join(f"{name};{k % 51}\n" for k, name in enumerate(paths[:1] + paths[52:])))
    run(PathLabelLists("hmdb51", train=train), hmdb)
    with pytest.raises(
        PreparationError,
        match=rf"val\.csv, line 1: .*{HMDB[0]}.*is a video of .*hmdb51_train_split_1_videos\.txt, "
        r"too.*(\n.*)*delete ",
    ):
        run(PathLabelLists("hmdb51", val=val), hmdb)
    assert not (hmdb / "hmdb51/hmdb51_val_split_1_videos.txt").exists()
    val.write_text("".join(f"{name};{k}\n" for k, name in enumerate(paths[51:])))
    run(PathLabelLists("hmdb51", val=val), hmdb)
    train.write_text(val.read_text())
    with pytest.raises(PreparationError, match=r"is a video of .*hmdb51_val_split_1_videos\.txt"):
        run(PathLabelLists("hmdb51", train=train), hmdb, force=True)


@pytest.mark.parametrize("label", [3.7, 3.0, True, "3", None])
def test_a_label_of_diving48_must_be_a_whole_number(diving, label):
    path = diving / "diving48/annotations/Diving48_V2_train.json"
    entries = json.loads(path.read_text())
    entries[1]["label"] = label
    path.write_text(json.dumps(entries))
    with pytest.raises(PreparationError, match=r"train\.json, entry 2: needs .*whole number"):
        run(Diving48(diving / "diving48/annotations"), diving)


def test_lists_of_ucf101_may_have_tabs(ucf):
    expected = run(UCF101(ucf / "ucf101/annotations", [1]), ucf, open_videos=False)
    for path in (ucf / "ucf101").glob("*/*/*.txt"):
        path.write_text(re.sub(r" (?=\d+$)|(?<=^\d) |(?<=^\d\d) |(?<=^\d{3}) ", "\t",
                               path.read_text(), flags=re.MULTILINE))  # fmt: skip
    path = next((ucf / "ucf101").glob("*/*/trainlist01.txt"))
    assert "\t" in path.read_text() and " " not in path.read_text()
    assert run(UCF101(ucf / "ucf101/annotations", [1]), ucf, open_videos=False) == expected


def test_one_message_holds_few_problems_and_counts_the_rest(ucf):
    path = next((ucf / "ucf101").glob("*/*/trainlist01.txt"))
    path.write_text(re.sub(r" \d+$", " 300", path.read_text(), flags=re.MULTILINE))
    with pytest.raises(PreparationError) as error:
        run(UCF101(ucf / "ucf101/annotations", [1]), ucf)
    text = str(error.value)
    assert "line 5: " in text and "line 6: " not in text and "... and 96 more" in text
