"""Small real videos under the names of real data sets."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest


def write_video(path: Path, frames: np.ndarray) -> None:
    """Write (T, H, W, 3) uint8 frames as motion JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = frames.shape[2], frames.shape[1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, size)
    for frame in frames:
        writer.write(frame)
    writer.release()


@pytest.fixture(scope="session")
def record():
    """Return the function that writes a video."""
    return write_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    rng = np.random.default_rng(0)
    write_video(path, rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8))
    return path


@pytest.fixture
def put(clip):
    """Return a function that puts a video under each of some paths below a folder."""

    def put(folder, paths):
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(clip, folder / path)
        return folder

    return put


class Said(list):
    """The lines that were reported."""

    def __call__(self, line):
        self.append(line)

    def __contains__(self, part):
        return any(part in line for line in self)


@pytest.fixture
def said():
    return Said()
