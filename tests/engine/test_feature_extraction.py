"""Features equal a forward pass written by hand, for any worker count and batch size."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import torch
from engine.feature_runs import (
    extracted,
    options,
    random_encoder,
    vectors_by_hand,
    write_folder,
)

from mmpmg.engine.feature_extraction import ExtractionError, extract_features


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of eight videos in two folders, and their list beside it."""
    return write_folder(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module")
def state():
    """Return weights of the encoder."""
    return random_encoder(2)


@pytest.fixture(scope="module")
def checkpoint(state, tmp_path_factory):
    """Return a fine-tuned checkpoint."""
    file = tmp_path_factory.mktemp("trained") / "epoch_1.pth"
    head = {"cls_head.fc_cls.weight": torch.randn(2, 24), "cls_head.fc_cls.bias": torch.zeros(2)}
    torch.save(dict(state_dict={**state, **head}, meta={}), file)
    return str(file)


def test_a_video_is_the_mean_over_clips_and_crops_of_a_forward_pass_by_hand(
    folder, state, checkpoint, tmp_path
):
    found = extracted(tmp_path / "f.npz", checkpoint, folder)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("clip*"))
    assert found["paths"].tolist() == names and len(names) == 8
    assert found["labels"].tolist() == [-1] * 8 and found["skipped"].tolist() == []
    expected = [vectors_by_hand(state, folder / name, 2, 3).mean((0, 1)) for name in names]
    assert np.std(expected, axis=0).max() > 0.01, "the videos are all alike"
    np.testing.assert_allclose(found["features"], expected, rtol=1e-5, atol=1e-5)


def test_a_clip_is_the_mean_over_its_crops_in_the_order_of_the_list(
    folder, state, checkpoint, tmp_path
):
    found = extracted(
        tmp_path / "f.npz", checkpoint, folder.parent / "list.txt", root=str(folder), pool="clip",
        clips=3, batch_size=2,
    )  # fmt: skip
    listed = [line.split() for line in (folder.parent / "list.txt").read_text().splitlines()]
    assert found["paths"].tolist() == [name for name, _ in listed for _ in range(3)]
    assert found["labels"].tolist() == [int(label) for _, label in listed for _ in range(3)]
    assert found["clips"].tolist() == [0, 1, 2] * 8
    expected = [vectors_by_hand(state, folder / name, 3, 3).mean(1) for name, _ in listed]
    np.testing.assert_allclose(found["features"], np.concatenate(expected), rtol=1e-5, atol=1e-5)


def test_one_centre_crop_of_one_clip(folder, state, checkpoint, tmp_path):
    video = folder / "clip0.mp4"
    found = extracted(tmp_path / "f.npz", checkpoint, video, clips=1, crops=1)
    assert found["paths"].tolist() == ["clip0.mp4"]
    np.testing.assert_allclose(
        found["features"], vectors_by_hand(state, video, 1, 1)[0], rtol=1e-5, atol=1e-5
    )


def test_ten_crops_of_a_clip(folder, state, checkpoint, tmp_path):
    """Corners and centre, each of them mirrored too."""
    video = folder / "clip0.mp4"
    found = extracted(tmp_path / "f.npz", checkpoint, video, clips=2, crops=10, pool="clip")
    np.testing.assert_allclose(
        found["features"], vectors_by_hand(state, video, 2, 10).mean(1), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(("workers", "batch_size"), [(0, 64), (2, 1), (1, 13)])
def test_workers_and_batch_size_change_the_last_bits_at_most(
    workers, batch_size, folder, checkpoint, tmp_path
):
    one = extracted(tmp_path / "one.npz", checkpoint, folder)
    other = extracted(
        tmp_path / "other.npz", checkpoint, folder, workers=workers, batch_size=batch_size
    )
    assert one["paths"].tolist() == other["paths"].tolist()
    np.testing.assert_allclose(one["features"], other["features"], rtol=1e-5, atol=1e-6)


def test_half_precision_is_close_and_not_the_same(folder, checkpoint, tmp_path):
    one = extracted(tmp_path / "one.npz", checkpoint, folder / "sub")["features"]
    half = extracted(tmp_path / "half.npz", checkpoint, folder / "sub", precision="bf16")[
        "features"
    ]
    assert half.dtype == np.float32
    assert 0 < np.abs(one - half).max() < 0.03 * np.abs(one).max()


@pytest.mark.gpu
def test_a_gpu_gives_the_same_to_its_precision(folder, checkpoint, tmp_path):
    one = extracted(tmp_path / "one.npz", checkpoint, folder)["features"]
    other = extracted(tmp_path / "gpu.npz", checkpoint, folder, device=None, workers=2)["features"]
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_unreadable_videos_are_named_and_left_out(folder, checkpoint, tmp_path, caplog):
    videos = tmp_path / "videos"
    shutil.copytree(folder, videos)
    (videos / "clip2.mp4").write_bytes(b"no video at all")
    (videos / "sub" / "clip6.avi").write_bytes(b"")
    one = extracted(tmp_path / "one.npz", checkpoint, folder)
    found = extracted(tmp_path / "found.npz", checkpoint, videos, batch_size=12, workers=2)
    kept = [name for name in one["paths"] if name not in ("clip2.mp4", "sub/clip6.avi")]
    assert found["paths"].tolist() == kept
    of = dict(zip(one["paths"], one["features"], strict=True))
    np.testing.assert_allclose(found["features"], [of[name] for name in kept], rtol=1e-5, atol=1e-6)
    assert [text.split(":")[0] for text in found["skipped"]] == [
        str(videos / "clip2.mp4"), str(videos / "sub/clip6.avi")
    ]  # fmt: skip
    assert "cannot be decoded" in found["skipped"][0] and "is empty" in found["skipped"][1]
    with pytest.raises(ExtractionError, match="--max-bad-share=0.0 allows.*clip2.mp4"):
        extracted(tmp_path / "strict.npz", checkpoint, videos, max_bad_share=0.0)


def test_what_is_named_like_a_video_and_is_none_is_listed_with_the_reason(
    folder, checkpoint, tmp_path
):
    """Links to nowhere and in a circle, a pipe, and a name that no decoder can open."""
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "a.mp4").symlink_to(folder / "clip0.mp4")
    (videos / "b.avi").symlink_to(tmp_path / "gone.avi")
    (videos / "c.mp4").symlink_to("c.mp4")
    os.mkfifo(videos / "d.mp4")
    odd = os.fsencode(videos) + b"/e\xff.avi"
    shutil.copy(folder / "sub/clip6.avi", odd)
    (videos / "sub").symlink_to(folder / "sub")
    reasons = {
        "b.avi": f"a link to {tmp_path / 'gone.avi'}: No such file or directory",
        "c.mp4": "a link to c.mp4: Too many levels of symbolic links",
        "d.mp4": "is no regular file",
        "e\\xff.avi": "the name is not UTF-8; rename it",
    }
    given = dict(clips=1, crops=1, max_bad_share=0.5)
    for ending in ("npz", "parquet"):
        extract_features(options(tmp_path / f"f.{ending}", checkpoint, videos, **given))
    with np.load(tmp_path / "f.npz") as file:
        assert file["paths"].tolist() == ["a.mp4", "sub/clip1.mp4", "sub/clip6.avi"]
        expected = [f"{videos / name}: {reason}" for name, reason in reasons.items()]
        assert file["skipped"].tolist() == expected
    os.rename(odd, videos / "e.avi")
    (videos / "b.avi").unlink()
    (videos / "b.avi").symlink_to(folder / "sub/clip6.avi")
    found = extracted(tmp_path / "mended.npz", checkpoint, videos, **given)
    assert found["paths"].tolist()[:3] == ["a.mp4", "b.avi", "e.avi"]
    np.testing.assert_array_equal(found["features"][1], found["features"][2])


def test_parquet_holds_the_same(folder, checkpoint, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional")
    one = extracted(tmp_path / "f.npz", checkpoint, folder, pool="clip")
    out = tmp_path / "f.parquet"
    given = options(out, checkpoint, folder, pool="clip")
    for _ in range(2):  # the second time it is there already
        assert extract_features(given) == out
    table = parquet.read_table(out)
    assert table.column_names == ["path", "label", "clip", "feature"]
    assert table["path"].to_pylist() == one["paths"].tolist()
    assert table["clip"].to_pylist() == one["clips"].tolist()
    np.testing.assert_array_equal(np.array(table["feature"].to_pylist(), "f4"), one["features"])
