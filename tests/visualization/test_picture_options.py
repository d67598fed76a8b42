"""Where pictures go."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmpmg.visualization.picture_options import PictureOptions, check_folder
from mmpmg.visualization.recipe_pictures import draw_recipe


@pytest.mark.parametrize(("name", "kind"), [("x.png", "png"), ("x.JPEG", "jpg"), ("x.mp4", "mp4")])
def test_a_picture_is_no_folder(tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(ValueError, match=rf"must be a folder.*--out {tmp_path} --format {kind}$"):
        # Before the recipe is looked at: reading its data may take minutes.
        draw_recipe(None, tmp_path / name, PictureOptions())
    assert not (tmp_path / name).exists()


def test_folders_with_a_dot_or_that_exist_are_taken(tmp_path: Path) -> None:
    (tmp_path / "old.png").mkdir()
    for name in ("run.v2", "pictures", "old.png"):
        check_folder(tmp_path / name)
