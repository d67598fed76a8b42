"""Where pictures go."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmpmg.visualization.model_comparison import ClipChoice, compare_reconstructions
from mmpmg.visualization.picture_options import PictureOptions, check_folder, check_picture
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


def test_what_cannot_be_written_is_refused_before_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "taken"
    file.touch()
    told = rf"--out {file}/a/b(\.png)?: {file} is a file, and a folder is wanted$"
    with pytest.raises(ValueError, match=told):
        draw_recipe(None, file / "a" / "b", PictureOptions())
    with pytest.raises(ValueError, match=told):
        compare_reconstructions([], ClipChoice(), file / "a" / "b.png")
    for name, words in (
        ("x.gif", r"must end with \.png or \.jpg"),
        ("", "must end"),
    ):
        with pytest.raises(ValueError, match=words):
            check_picture(tmp_path / name)
    (tmp_path / "old.png").mkdir()
    with pytest.raises(ValueError, match=r"old\.png is a folder: name a file in it"):
        check_picture(tmp_path / "old.png")
    check_picture(tmp_path / "new" / "x.PNG")
    check_picture("x.jpg")
    monkeypatch.setattr("os.access", lambda place, mode: place != tmp_path)  # root may do all
    for check, name in ((check_folder, "new"), (check_picture, "x.png")):
        with pytest.raises(ValueError, match=rf"you may not write into {tmp_path}; name"):
            check(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.png", "taken"]
