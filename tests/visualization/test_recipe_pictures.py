from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from PIL import Image

from mmpmg.motion import OPS, Motion
from mmpmg.visualization.contact_sheet import tile
from mmpmg.visualization.families import family_clips, family_sheet
from mmpmg.visualization.guided_sheet import guided_sheet
from mmpmg.visualization.picture_options import PictureOptions
from mmpmg.visualization.recipe_pictures import draw_recipe

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "configs" / "pmg" / "vit-toy_generated.py"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(4):
        rough = np.random.default_rng(number).integers(0, 256, (12, 15, 3), dtype=np.uint8)
        Image.fromarray(cv2.resize(rough, (300, 240))).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def recipe(photographs: Path) -> Config:
    config = Config.fromfile(RECIPE)
    config.train_dataloader.dataset.images = dict(type="FolderImages", root=str(photographs))
    config.model.backbone.depth = 1
    return config


def test_every_picture_is_written_and_named(recipe: Config, tmp_path: Path) -> None:
    torch.manual_seed(0)
    checkpoint = tmp_path / "epoch_1.pth"
    torch.save(dict(state_dict=MODELS.build(recipe.model).state_dict()), checkpoint)
    options = PictureOptions(
        num_clips=2, formats=("png", "gif", "mp4"), mask=True, flow=True, families=True
    )
    files = draw_recipe(recipe, tmp_path / "out", options, str(checkpoint))
    assert sorted(files) == sorted((tmp_path / "out").iterdir())
    assert {path.name for path in files} == {
        *(f"{what}.{ending}" for what in ("clips", "families") for ending in ("png", "gif", "mp4")),
        "clips_mixed.png",
        "reconstructions_visible.png",
    }
    with Image.open(tmp_path / "out" / "clips.gif") as clip:
        assert clip.n_frames == 16


def test_pictures_repeat_and_differ_by_seed(recipe: Config, tmp_path: Path) -> None:
    def sheet(seed: int, name: str) -> np.ndarray:
        options = PictureOptions(num_clips=1, formats=("png",), mask=True, seed=seed)
        return np.array(Image.open(draw_recipe(recipe, tmp_path / name, options)[0]))

    first, again, other = sheet(0, "a"), sheet(0, "b"), sheet(1, "c")
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()


def test_other_ops_take_the_place_of_the_recipes(recipe: Config, tmp_path: Path) -> None:
    options = PictureOptions(num_clips=1, formats=("gif",), ops=("Identity",))
    files = draw_recipe(recipe, tmp_path, options)
    with Image.open(files[0]) as clip:
        assert getattr(clip, "n_frames", 1) == 1  # sixteen equal frames are stored once


def test_families_alone_leave_the_clips_alone(recipe: Config, tmp_path: Path) -> None:
    files = draw_recipe(recipe, tmp_path, PictureOptions(families=True, formats=("jpg",)))
    assert [file.name for file in files] == ["families.jpg"]
    assert Image.open(files[0]).format == "JPEG"


def test_a_gallery_shows_each_image_beside_its_own_clip(recipe: Config, tmp_path: Path) -> None:
    """Without motion the three sheets are the same picture, and none of its cells is another's."""
    options = PictureOptions(gallery=3, ops=("Identity",))
    pipeline = recipe.train_dataloader.dataset.pipeline
    # The image as it is: whatever crops or mirrors it would be seen as motion.
    pipeline.update(crop=None, flip=None)
    pipeline.resize.scale = (112, 112)
    recipe.model.backbone.img_size = 112
    recipe.train_dataloader.dataset.images.root = str(_plain(tmp_path / "plain"))
    (file,) = draw_recipe(recipe, tmp_path, options)
    sheet = np.array(Image.open(file)).astype(int)
    middle = sheet[-60, :]  # a line through the only row of cells
    runs = [
        tuple((run / 32).round().astype(int))
        for run in np.split(middle, np.flatnonzero(np.abs(np.diff(middle, axis=0)).max(1) > 40) + 1)
        if len(run) > 100
    ]
    colours = [tuple(run[len(run) // 2]) for run in runs]
    assert len(colours) == 9 and len(set(colours)) == 3
    assert colours[:3] == colours[3:6] == colours[6:]


def _plain(folder: Path) -> Path:
    """Three images of one colour each."""
    folder.mkdir()
    for number, colour in enumerate([(224, 32, 32), (32, 192, 32), (32, 32, 224)]):
        Image.new("RGB", (112, 112), colour).save(folder / f"{number}.png")
    return folder


def test_mistakes_are_named(recipe: Config, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="png, jpg, gif, mp4"):
        draw_recipe(recipe, tmp_path, PictureOptions(formats=("avi",)))
    with pytest.raises(FileNotFoundError, match="no checkpoint at nowhere"):
        draw_recipe(recipe, tmp_path, PictureOptions(), "nowhere")
    with pytest.raises(ValueError, match="is no motion"):
        draw_recipe(recipe, tmp_path, PictureOptions(ops=("Wobble",)))
    recipe.model.type = "Recognizer3D"
    with pytest.raises(ValueError, match="masks and reconstructs nothing"):
        draw_recipe(recipe, tmp_path, PictureOptions(mask=True))
    recipe.train_dataloader = None
    with pytest.raises(ValueError, match="no train_dataloader"):
        draw_recipe(recipe, tmp_path, PictureOptions())


@pytest.mark.parametrize("guided", [(), (0.6,)])
def test_guided_masks_need_no_tokenizer_and_no_image_weights(
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    guided: tuple[float, ...],
) -> None:
    """The recipe names a tokenizer that was never trained."""
    rows: list[int] = []

    def noted(*args: Any, **kwargs: Any) -> Any:
        rows.append(len(args[0]))
        return tile(*args, **kwargs)

    monkeypatch.setitem(guided_sheet.__globals__, "tile", noted)
    config = Config.fromfile(ROOT / "configs" / "demvm" / "swin-toy_photographs.py")
    config.train_dataloader.dataset.images.root = str(photographs)
    options = PictureOptions(num_clips=1, guided=guided, ratios=(1.0, 1.0), columns=3)
    (file,) = draw_recipe(config, tmp_path, options)
    assert file.name == "guided_masks.png"
    # Frames, points, motion map and a row for each density, each of 128 pixels below the title.
    assert rows == [3 + (len(guided) or 2)]
    assert Image.open(file).height > 128 * rows[0]
    assert config.model.branches.token.head.target.checkpoint, "the recipe stays as it was"


def test_masks_of_a_recipe_that_no_motion_guides_are_refused(
    recipe: Config, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"--guided: the recipe's masker is .*configs/demvm"):
        draw_recipe(recipe, tmp_path, PictureOptions(num_clips=1, guided=(), formats=("png",)))


def test_an_encoder_without_decoder_is_not_drawn(recipe: Config, tmp_path: Path) -> None:
    state = MODELS.build(recipe.model).backbone.state_dict()
    torch.save(dict(state_dict={f"backbone.{k}": v for k, v in state.items()}), tmp_path / "e.pth")
    with pytest.raises(ValueError, match=r"weights are missing.*necks.*epoch_N\.pth"):
        draw_recipe(recipe, tmp_path, PictureOptions(num_clips=1), str(tmp_path / "e.pth"))


def test_a_family_that_draws_something_else_is_named(
    recipe: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Turned:
        def sample(self, rng: object, num_frames: int, size: tuple[int, int]) -> Motion:
            return Motion("Turned", size, np.tile(np.eye(3), (num_frames - 1, 1, 1)))

    monkeypatch.setitem(OPS, "Turned", Turned)
    told = r"^ops: Turned: Turned\.sample returned a Motion of 15 frames of \(224, 224\) where"
    with pytest.raises(ValueError, match=told):
        draw_recipe(recipe, tmp_path, PictureOptions(families=True, formats=("png",)))
    assert not list(tmp_path.iterdir())


def test_families_are_drawn_alike_whichever_are_chosen() -> None:
    rng = np.random.default_rng(0)
    image, partner = rng.integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    every = family_clips(image, partner, num_frames=4)
    assert [motion.family for motion, _ in every] == list(OPS)
    (motion, clip), *_ = family_clips(image, partner, num_frames=4, families=["Perspective"])
    number = list(OPS).index("Perspective")
    assert motion == every[number][0]
    np.testing.assert_array_equal(clip, every[number][1])
    assert family_sheet(every, columns=2, cell_height=24).shape[0] > 8 * 24


def run_tool(photographs: Path, out: Path, monkeypatch: pytest.MonkeyPatch, *changes: str) -> None:
    images = "train_dataloader.dataset.images"
    command = [
        "visualize.py", str(RECIPE), "--out", str(out), "--num-clips", "1", "--format", "gif",
        "--cfg-options", f"{images}._delete_=True", f"{images}.type=FolderImages",
        f"{images}.root={photographs}", "model.backbone.depth=1", *changes,
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", command)
    source = (ROOT / "tools" / "visualize.py").read_text()
    exec(compile(source, "visualize.py", "exec"), {"__name__": "__main__"})


def test_the_tool_says_what_it_wrote(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    run_tool(photographs, tmp_path, monkeypatch)
    told = capsys.readouterr().out
    for path in tmp_path.iterdir():
        assert f"wrote {path}" in told
    assert {path.name for path in tmp_path.iterdir()} == {"clips.gif", "clips_mixed.png"}


def test_a_mistyped_option_is_placed_in_the_recipe(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "train_dataloader.dataset.pipeline.motion.num_frame"
    words = rf"{key} in the recipe: PMGPipeline has no option .*did you mean 'num_frames'"
    with pytest.raises(SystemExit, match=rf"^error: .*{words}"):
        run_tool(photographs, tmp_path, monkeypatch, f"{key}=8")
