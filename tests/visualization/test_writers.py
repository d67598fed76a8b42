from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmpmg.visualization import write


@pytest.fixture
def clip() -> np.ndarray:
    """A coloured square that moves over a slope, 7 frames of 46 x 61."""
    rows, columns = np.mgrid[:46, :61]
    frames = []
    for k in range(7):
        frame = np.stack([rows * 4, columns * 4, np.full_like(rows, 30)], axis=2)
        frame[10:30, 5 + 5 * k : 25 + 5 * k] = (220, 40, 90)
        frames.append(frame)
    return np.stack(frames).astype(np.uint8)


def test_png_is_lossless(tmp_path: Path, clip: np.ndarray) -> None:
    path = write(tmp_path / "new folder" / "ü.png", clip[0])
    np.testing.assert_array_equal(np.array(Image.open(path)), clip[0])


def test_gif_reads_back(tmp_path: Path, clip: np.ndarray) -> None:
    with Image.open(write(tmp_path / "clip.gif", clip, fps=10)) as image:
        assert image.n_frames == 7
        assert image.info["duration"] == 100
        assert image.info["loop"] == 0
        for k in range(7):
            image.seek(k)
            read = np.array(image.convert("RGB")).astype(int)
            assert np.abs(read - clip[k]).mean() < 6


def test_mp4_reads_back(tmp_path: Path, clip: np.ndarray) -> None:
    path = write(tmp_path / "CLIP.MP4", clip, fps=5)
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(5)
    frames = []
    while True:
        read, frame = video.read()
        if not read:
            break
        frames.append(frame[..., ::-1])
    assert len(frames) == 7
    assert frames[0].shape == (46, 62, 3)  # an odd side is padded
    for frame, truth in zip(frames, clip, strict=True):
        # Colours in their right order and frames in theirs: another frame is off by more.
        assert np.abs(frame[:, :61].astype(int) - truth).mean() < 8
    assert [path.name for path in tmp_path.iterdir()] == ["CLIP.MP4"]


@pytest.mark.parametrize("name", ["clip.avi", "clip", "clip.webp"])
def test_other_endings_are_refused(tmp_path: Path, clip: np.ndarray, name: str) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.jpg, \.gif, \.mp4"):
        write(tmp_path / name, clip)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_is_no_picture_and_a_picture_no_clip(tmp_path: Path, clip: np.ndarray) -> None:
    with pytest.raises(ValueError, match="png holds a picture"):
        write(tmp_path / "a.png", clip)
    with pytest.raises(ValueError, match="gif holds a clip"):
        write(tmp_path / "a.gif", clip[0])
    with pytest.raises(ValueError, match="uint8 RGB"):
        write(tmp_path / "a.gif", clip / 255)
    with pytest.raises(ValueError, match="fps 0"):
        write(tmp_path / "a.gif", clip, fps=0)
