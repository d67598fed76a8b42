"""Mimetics: a few clips a class to train on, drawn of those that are there; the others to test."""

import pytest

from mmpmg.datasets.preparation import Mimetics, PreparationError, PreparationOptions, prepare

CLASSES = [f"miming thing {k:02d}" for k in range(50)]
HEADER = "label,youtube_id,time_start,time_end,split,is_cc"


def clip(label, number, layout="{}/{}.mp4"):
    return layout.format(CLASSES[label], f"-id_{label}_{number}_000005_000015")


@pytest.fixture
def mimetics(tmp_path, put):
    """Four clips of each class, of which the list knows all."""
    folder = tmp_path / "mimetics/annotations"
    folder.mkdir(parents=True)
    rows = [f'"{CLASSES[k]}",-id_{k}_{n},5,15,test,0' for n in range(4) for k in range(50)]
    (folder / "mimetics_v1.0.csv").write_text("\r\n".join([HEADER, *rows]))
    put(tmp_path / "mimetics/videos", [clip(k, n) for k in range(50) for n in range(4)])
    return tmp_path


def run(root, said=lambda line: None, allow_missing=False, **options):
    prepare(
        Mimetics(root / "mimetics/annotations", **options),
        PreparationOptions(root=root, open_videos=False, allow_missing=allow_missing, force=True),
        said,
    )
    found = {path.name: path.read_text().splitlines() for path in root.glob("mimetics/*.txt")}
    return {name.replace("_videos.txt", ""): lines for name, lines in found.items()}


def test_two_clips_a_class_are_for_training_and_all_others_for_validation(mimetics, said):
    found = run(mimetics, said)
    train, val = (found[f"mimetics_{part}_2-shot_seed0"] for part in ("train", "val"))
    assert len(train) == len(val) == 100
    assert sorted(train + val) == sorted(f"{clip(k, n)} {k}" for k in range(50) for n in range(4))
    assert [line.rsplit(" ", 1)[1] for line in train] == [str(k // 2) for k in range(100)]
    assert found["classes.txt"] == [name.replace(" ", "_") for name in CLASSES]
    assert "val_2-shot_seed0_videos.txt: 100 videos; the published list has 613" in said


def test_seeds_draw_others_and_more_shots_include_fewer(mimetics):
    found = run(mimetics, seeds=(0, 1))
    assert set(found["mimetics_train_2-shot_seed0"]) != set(found["mimetics_train_2-shot_seed1"])
    three = run(mimetics, shots=3)["mimetics_train_3-shot_seed0"]
    assert set(found["mimetics_train_2-shot_seed0"]) < set(three)


def test_a_clip_that_is_gone_is_not_drawn_and_changes_its_own_class_only(mimetics):
    before = run(mimetics)["mimetics_train_2-shot_seed0"]
    gone, kept = (line.rsplit(" ", 1)[0] for line in before[14:16])
    (mimetics / "mimetics/videos" / gone).unlink()
    with pytest.raises(PreparationError, match=r"1 video is missing.*mimetics_val_2-shot"):
        run(mimetics)
    found = run(mimetics, allow_missing=True)
    after = found["mimetics_train_2-shot_seed0"]
    assert after[:14] + after[16:] == before[:14] + before[16:]
    assert f"{kept} 7" in after[14:16] and f"{gone} 7" not in after
    assert len(found["mimetics_val_2-shot_seed0"]) == 99


def test_a_class_left_with_clips_to_train_on_alone_is_told_from_other_faults(mimetics):
    for number in (0, 3):
        (mimetics / "mimetics/videos" / clip(7, number)).unlink()
    with pytest.raises(
        PreparationError,
        match=r"(?s)val_2-shot_seed0\S+ 1 of 50 classes have no video: 7.*are there and open: "
        r"get the others again \(all of them: \S+val_2-shot\S+missing.txt\), or.*fewer --shots",
    ) as stopped:
        run(mimetics, allow_missing=True)
    assert "once the files are found" not in str(stopped.value)
    (report,) = mimetics.glob("mimetics/*.missing.txt")
    assert [line.split(":")[0] for line in report.read_text().splitlines()] == [
        clip(7, 0, "{}/{}"), clip(7, 3, "{}/{}")
    ]  # fmt: skip
    assert len(run(mimetics, allow_missing=True, shots=1)["mimetics_val_1-shot_seed0"]) == 148


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            lambda text: text,
            dict(shots=5),
            r"class 0 \(miming_thing_00\) has 4 videos, 5 are asked",
        ),
        (lambda text: text, dict(shots=4), "50 of 50 classes have no video"),
        (lambda text: text, dict(shots=0), "--shots 0: must be 1 or more"),
        (lambda text: text.replace(",5,", ",x,", 1), {}, "line 2: time_start and time_end must be"),
        (lambda text: text.replace("thing 49", "thing 48"), {}, "49 classes instead of 50"),
        (lambda text: text.replace("time_end", "end", 1), {}, "has no column time_end"),
    ],
    ids=["too few", "none to test", "no shots", "time", "classes", "column"],
)
def test_bad_lists_and_options(mimetics, change, options, message):
    path = mimetics / "mimetics/annotations/mimetics_v1.0.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(PreparationError, match=message):
        run(mimetics, **options)
    assert not list(mimetics.glob("mimetics/*_videos.txt"))


def test_without_its_list_it_says_what_to_take(mimetics):
    (mimetics / "mimetics/annotations/mimetics_v1.0.csv").unlink()
    with pytest.raises(
        PreparationError, match=r"no file mimetics_v1.0.csv.*Take mimetics_v1.0.csv"
    ):
        run(mimetics)
