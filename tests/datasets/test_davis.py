from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.registry import init_default_scope
from PIL import Image
from reference.tiny_davis import squares, tiny_davis, write_frame, write_mask, write_sequence

from mmpmg.datasets import AnnotationError, DAVISDataset
from mmpmg.datasets.image_decoding import ImageReadError
from mmpmg.datasets.object_masks import read_values

PIPELINE = dict(
    load=dict(type="LoadSequence"),
    layout=dict(type="FormatShape", input_format="NCTHW"),
    pack=dict(
        type="PackActionInputs",
        meta_keys=("sequence", "object_ids", "filename"),
        algorithm_keys=("gt_masks",),
    ),
)


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tiny_davis(tmp_path / "DAVIS")


def masks_of(root: Path, name: str = "two") -> Path:
    return root / "Annotations" / "480p" / name


def frames_of(root: Path, name: str = "two") -> Path:
    return root / "JPEGImages" / "480p" / name


def davis(root: Path, **options) -> DAVISDataset:
    return DATASETS.build(
        dict(type="DAVISDataset", data_root=str(root), pipeline=PIPELINE, **options)
    )


def test_a_sample_is_a_sequence_with_its_ids(root):
    dataset = davis(root)
    assert len(dataset) == 2
    first, second = dataset[0], dataset[1]
    assert first["inputs"].shape == (1, 3, 4, 24, 36)
    assert first["inputs"].dtype == torch.uint8
    sample = first["data_samples"]
    assert (sample.sequence, sample.object_ids) == ("two", (1, 2))
    assert sample.filename == str(frames_of(root))
    assert sample.gt_masks.dtype == torch.uint8
    assert np.array_equal(sample.gt_masks.numpy(), squares(4, 2))
    assert (second["data_samples"].sequence, second["data_samples"].object_ids) == ("one", (1,))
    for k in range(4):
        with Image.open(frames_of(root) / f"{k:05d}.jpg") as image:
            decoded = np.asarray(image).astype(int)
        frame = first["inputs"][0, :, k].permute(1, 2, 0).numpy()
        assert np.abs(frame - decoded).max() <= 3, "another JPEG decoder, the same frame, RGB"


def test_sequences_may_be_named_and_keep_their_order(root):
    assert [davis(root, sequences=["one", "two"]).get_data_info(k)["sequence"] for k in (0, 1)] == [
        "one",
        "two",
    ]


def test_a_list_of_frames_as_davis_2016_has_it_names_their_sequences(root):
    lines = [
        f"/JPEGImages/480p/{name}/{k:05d}.jpg /Annotations/480p/{name}/{k:05d}.png"
        for name in ("one", "two")
        for k in range(3)
    ]
    (root / "ImageSets/2017/frames.txt").write_text("\n".join(lines))
    dataset = davis(root, sequences="ImageSets/2017/frames.txt")
    assert [dataset.get_data_info(k)["sequence"] for k in range(len(dataset))] == ["one", "two"]


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "LA", "P"])
@pytest.mark.parametrize("annotations", ["auto", "binary"])
def test_binary_masks_are_one_object_however_they_are_stored(root, mode, annotations):
    for path in masks_of(root, "one").iterdir():
        k = int(path.stem)
        grey = Image.fromarray(squares(3, 1, (20, 30))[k] * np.uint8(255))
        if mode == "P":
            write_mask(path, np.asarray(grey))
        else:
            grey.convert(mode).save(path)
    sample = davis(root, sequences=["one"], annotations=annotations)[0]["data_samples"]
    assert sample.object_ids == (1,)
    assert np.array_equal(sample.gt_masks.numpy(), squares(3, 1, (20, 30)))


def test_masks_in_grey_with_ids_as_values_are_read_too(root):
    for path in masks_of(root).iterdir():
        Image.fromarray(squares(4, 2)[int(path.stem)]).save(path)
    assert np.array_equal(davis(root)[0]["data_samples"].gt_masks.numpy(), squares(4, 2))


def later_object(root: Path) -> None:
    ids = squares(4, 2)[2]
    ids[20:, :4] = 3
    write_mask(masks_of(root) / "00002.png", ids)


def test_objects_that_appear_later_are_an_error_or_background(root):
    later_object(root)
    with pytest.raises(AnnotationError, match=r"00002.png: unknown ids \[3\].*\[1, 2\].*'backgro"):
        davis(root)
    dataset = davis(root, unknown_ids="background")
    assert np.array_equal(dataset[0]["data_samples"].gt_masks.numpy(), squares(4, 2))


def test_void_pixels_are_an_error_or_background(root):
    for k in (0, 1):
        ids = squares(4, 2)[k]
        ids[0, :5] = 255
        write_mask(masks_of(root) / f"{k:05d}.png", ids)
    with pytest.raises(AnnotationError, match=r"00000.png: unknown ids \[255\].*void"):
        davis(root)
    dataset = davis(root, unknown_ids="background")
    assert np.array_equal(dataset[0]["data_samples"].gt_masks.numpy(), squares(4, 2))


def interpolated(root: Path, k: int, shape: tuple[int, int]) -> None:
    """Write a mask that linear interpolation has drawn out of ids 0 and 200 to `shape`."""
    ramp = np.linspace(0, 200, shape[1]).round().astype(np.uint8)
    write_mask(masks_of(root) / f"{k:05d}.png", np.tile(ramp, (shape[0], 1)))


@pytest.mark.parametrize("k", [0, 2])
def test_the_size_of_a_resized_mask_is_told_before_its_ids(root, k):
    interpolated(root, k, (48, 72))
    with pytest.raises(AnnotationError, match=f"0000{k}.png is 72 x 48.*frame .* is 36 x 24"):
        davis(root)


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("annotations", ["auto", "binary"])
def test_many_ids_are_called_interpolated_and_few_are_shown(root, k, annotations):
    if annotations == "binary":
        for path in masks_of(root).iterdir():
            write_mask(path, np.where(squares(4, 2)[int(path.stem)] > 0, 255, 0).astype(np.uint8))
    interpolated(root, k, (24, 36))
    with pytest.raises(AnnotationError, match=f"0000{k}.png.*in all.*nearest pixel") as error:
        davis(root, annotations=annotations)
    message = str(error.value)
    assert "unknown_ids" not in message and "Renumber" not in message
    assert len(message) - message.count(str(root)) * len(str(root)) < 500


def empty_first(root: Path) -> None:
    write_mask(masks_of(root) / "00000.png", squares(4, 2)[0] * 0)


def gap(root: Path) -> None:
    for path in masks_of(root).iterdir():
        ids = squares(4, 2)[int(path.stem)]
        write_mask(path, np.where(ids == 2, 4, ids).astype(np.uint8))


def first_gone(root: Path) -> None:
    (masks_of(root) / "00000.png").unlink()


def all_masks_gone(root: Path) -> None:
    shutil.rmtree(masks_of(root))


def later_gone(root: Path) -> None:
    (masks_of(root) / "00002.png").unlink()


def frame_gone(root: Path) -> None:
    (frames_of(root) / "00002.jpg").unlink()


def larger_mask(root: Path) -> None:
    write_mask(masks_of(root) / "00001.png", squares(1, 2, (48, 72))[0])


def larger_frame(root: Path) -> None:
    write_frame(frames_of(root) / "00003.jpg", 0, (48, 72))
    write_mask(masks_of(root) / "00003.png", squares(1, 2, (48, 72))[0])


def two_frames(root: Path) -> None:
    for k in (2, 3):
        (masks_of(root) / f"{k:05d}.png").unlink()
        (frames_of(root) / f"{k:05d}.jpg").unlink()


def colours(root: Path) -> None:
    path = masks_of(root) / "00001.png"
    with Image.open(path) as image:
        coloured = image.convert("RGB")
    coloured.save(path)


def many_ids(root: Path) -> None:
    Image.fromarray(squares(4, 2)[1].astype(np.uint16) * 300).save(masks_of(root) / "00001.png")


def cut_mask(root: Path) -> None:
    path = masks_of(root) / "00001.png"
    path.write_bytes(path.read_bytes()[:-30])


def no_mask(root: Path) -> None:
    (masks_of(root) / "00001.png").write_bytes(b"hello")


def cut_frame(root: Path) -> None:
    path = frames_of(root) / "00003.jpg"
    path.write_bytes(path.read_bytes()[:-200])


def empty_frame(root: Path) -> None:
    (frames_of(root) / "00003.jpg").write_bytes(b"")


FAULTS = [
    (empty_first, "00000.png: the first frame's mask is empty.*dataset.sequences"),
    (gap, r"00000.png.*ids \[1, 4\].*without a gap.*Renumber"),
    (first_gone, "no first mask .*00000.png"),
    (all_masks_gone, "no first mask .*00000.png"),
    (later_gone, "1 of 4 frames .*two have no mask.*00002.png.*dataset.sequences"),
    (frame_gone, "1 masks have no frame.*00002.png.*00002.jpg"),
    (larger_mask, "00001.png is 72 x 48.*00001.jpg is 36 x 24.*dataset.resolution"),
    (larger_frame, "00003.jpg is 72 x 48.*00000.jpg is 36 x 24"),
    (two_frames, "two: 2 frames.*at least 3.*dataset.sequences"),
    (colours, "00001.png: .*RGB file holds colours.*palette"),
    (many_ids, "00001.png: values up to 600: object ids are 1 to 254"),
    (cut_mask, "00001.png: "),
    (no_mask, "00001.png: no image"),
    (cut_frame, "00003.jpg: "),
    (empty_frame, "00003.jpg: the file is empty"),
]


@pytest.mark.parametrize(("harm", "message"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_a_fault_is_named_before_the_first_sequence_runs(root, harm, message):
    harm(root)
    with pytest.raises((AnnotationError, FileNotFoundError)) as error:
        davis(root)
    assert re.search(message, str(error.value)), str(error.value)
    assert "1 of 2 sequences" in str(error.value)
    assert isinstance(error.value, FileNotFoundError) == (harm.__name__.endswith("gone"))
    assert len(davis(root, sequences=["one"])) == 1, "the other sequence can be used without it"


@pytest.mark.parametrize("harm", [cut_frame, cut_mask, later_object])
def test_a_file_that_breaks_after_the_check_is_named_as_well(root, harm):
    dataset = davis(root)
    harm(root)
    with pytest.raises((AnnotationError, ImageReadError), match=r"0000[123]"):
        dataset[0]


def test_every_faulty_sequence_is_named_up_to_five(root):
    names = [f"s{k}" for k in range(7)]
    for name in names:
        write_sequence(root, name, squares(2, 1))
    with pytest.raises(AnnotationError) as error:
        davis(root, sequences=[*names, "one"])
    message = str(error.value)
    assert "7 of 8 sequences" in message and "and 2 more" in message
    assert [name in message for name in names] == [True] * 5 + [False] * 2


def test_what_is_missing_is_said_with_what_is_there(root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere.*480p\.zip.*data_root"):
        davis(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"Full-Resolution.*resolution.*has 480p"):
        davis(root, resolution="Full-Resolution")
    with pytest.raises(FileNotFoundError, match=r"2016/val.txt.*there are: ImageSets/2017/val.txt"):
        davis(root, sequences="ImageSets/2016/val.txt")
    with pytest.raises(FileNotFoundError, match=r"1 of 2 sequences .* are not in .*three"):
        davis(root, sequences=["one", "three"])
    with pytest.raises(FileNotFoundError, match="names no sequence"):
        davis(root, sequences=[])


def test_a_mistyped_sequence_is_told_its_neighbours_and_no_download(root):
    with pytest.raises(FileNotFoundError, match=r"Near these names are two$") as error:
        davis(root, sequences=["two2"])
    assert "davischallenge" not in str(error.value)
    for k in range(7):
        (root / "JPEGImages/480p" / f"s{k}").mkdir()
    with pytest.raises(FileNotFoundError, match=r"There are one, s0, s1, s2, s3 and 4 more$"):
        davis(root, sequences=["elephant"])
    shutil.rmtree(root / "JPEGImages/480p")
    (root / "JPEGImages/480p").mkdir()
    with pytest.raises(FileNotFoundError, match=r"No sequence is there.*480p\.zip"):
        davis(root)


@pytest.mark.parametrize("option", ["annotations", "unknown_ids"])
def test_an_illegal_option_is_named_with_what_is_allowed(root, option):
    with pytest.raises(ValueError, match=f"dataset.{option}='never': must be one of"):
        davis(root, **{option: "never"})


def test_binary_is_refused_where_there_are_ids(root):
    with pytest.raises(AnnotationError, match=r"holds \[1, 2\].*annotations='ids'"):
        davis(root, annotations="binary")


def test_ids_are_refused_where_masks_are_binary(root):
    for path in masks_of(root, "one").iterdir():
        write_mask(path, squares(3, 1, (20, 30))[int(path.stem)] * np.uint8(255))
    for unknown in ("error", "background"):
        with pytest.raises(AnnotationError, match="255 (is|means)"):
            davis(root, sequences=["one"], annotations="ids", unknown_ids=unknown)


def test_palette_indices_are_read_and_not_colours(root):
    values = read_values(str(masks_of(root) / "00000.png"))
    assert np.array_equal(values, squares(4, 2)[0])
