"""Tiny real material on disk, shared by the chain's tests."""

from __future__ import annotations

import pytest
from integration.tiny_runs import write_images, write_videos


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    """Return the list file of eight labelled videos; they lie beside it."""
    return write_videos(tmp_path_factory.mktemp("videos") / "files")[0]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Return a folder of 16 images."""
    folder = tmp_path_factory.mktemp("pictures") / "some images"
    write_images(folder, 16)
    return folder
