from __future__ import annotations

import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from integration.forked_tools import fork_train_in_two
from integration.tiny_runs import SHORT, TINY_BACKBONE
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image
from torch import nn

from mmpmg.engine.hooks import ReconstructionHook
from mmpmg.visualization.model_pictures import evaluating
from mmpmg.visualization.model_reconstructions import drawn_branches, reconstruct_samples
from mmpmg.visualization.training_samples import read_samples

RECIPE = Path(__file__).resolve().parents[2] / "configs" / "pmg" / "vit-toy_generated.py"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(8):
        rough = np.random.default_rng(number).integers(0, 256, (9, 12, 3), dtype=np.uint8)
        Image.fromarray(cv2.resize(rough, (96, 72))).save(folder / f"{number}.png")
    return folder


def small_run(
    photographs: Path, work_dir: Path, epochs: int = 2, workers: int = 0, recipe: Path = RECIPE
) -> Config:
    """Two steps an epoch, with everything that draws: crops, flips, motions, mixing, drop path."""
    config = Config.fromfile(recipe)
    config.work_dir = str(work_dir)
    config.model.backbone.update(depth=2, drop_path_rate=0.3)
    loader = config.train_dataloader
    loader.update(batch_size=4, num_workers=workers, persistent_workers=workers > 0)
    loader.dataset.images = dict(type="FolderImages", root=str(photographs))
    config.train_cfg.max_epochs = epochs
    config.default_hooks.checkpoint.interval = 1
    config.param_scheduler = None  # its warm-up may be longer than this run
    config.experiment_name = f"reconstruction_{work_dir.name}"
    config.launcher = "none"
    return config


def trained(config: Config, *hooks: dict) -> dict[str, torch.Tensor]:
    config.custom_hooks = list(hooks)
    runner = Runner.from_cfg(config)
    runner.train()
    return runner.model.state_dict()


# MMEngine's own sampler gives no seeds: then everything draws from the global generators.
@pytest.mark.parametrize(
    ("sampler", "workers"),
    [("SampleSeedSampler", 0), ("SampleSeedSampler", 1), ("DefaultSampler", 0)],
)
def test_training_is_bit_for_bit_the_same(
    photographs: Path, tmp_path: Path, sampler: str, workers: int
) -> None:
    def run(name: str) -> Config:
        config = small_run(photographs, tmp_path / name, 2, workers)
        config.train_dataloader.sampler.type = sampler
        return config

    hook = dict(type="ReconstructionHook", num_clips=3, statistics="visible")
    without = trained(run("without"))
    with_hook = trained(run("with"), hook)
    assert without.keys() == with_hook.keys()
    for name, value in without.items():
        assert torch.equal(value, with_hook[name]), name
    drawn = sorted(path.name for path in (tmp_path / "with" / "reconstructions").iterdir())
    assert drawn == ["epoch_1.png", "epoch_2.png"]


def test_pictures_follow_the_interval_and_the_clips_stay_the_same(
    photographs: Path, tmp_path: Path
) -> None:
    hook = dict(type="ReconstructionHook", interval=2, num_clips=1, columns=4)
    # A learning rate of nearly zero: whatever differs between pictures is not the model.
    config = small_run(photographs, tmp_path / "run", 3)
    config.optim_wrapper.optimizer.lr = 1e-12
    trained(config, hook)
    folder = tmp_path / "run" / "reconstructions"
    assert sorted(path.name for path in folder.iterdir()) == ["epoch_2.png", "epoch_3.png"]
    second, third = (np.array(Image.open(folder / f"epoch_{n}.png")) for n in (2, 3))
    assert second.shape == third.shape
    # Only the number of the epoch in the title differs.
    different = np.nonzero((second != third).any(axis=(1, 2)))[0]
    assert different.size > 0
    assert different.max() < 30


def test_iterations_can_be_counted_and_training_is_still_the_same(
    photographs: Path, tmp_path: Path
) -> None:
    hook = dict(type="ReconstructionHook", by_epoch=False, interval=3, num_clips=1, columns=2)
    without = trained(small_run(photographs, tmp_path / "without"))
    with_hook = trained(small_run(photographs, tmp_path / "with"), hook)
    for name, value in without.items():
        assert torch.equal(value, with_hook[name]), name
    drawn = sorted(path.name for path in (tmp_path / "with" / "reconstructions").iterdir())
    assert drawn == ["iter_3.png", "iter_4.png"]  # two epochs of two steps


def test_tensorboard_gets_the_pictures_and_the_numbers(photographs: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = small_run(photographs, tmp_path / "run")
    key = "visualizer.vis_backends.0.type"
    config.merge_from_dict({key: "LocalTensorboardVisBackend"})  # as --cfg-options does
    trained(config, dict(type="ReconstructionHook", num_clips=1, columns=2))
    (folder,) = (path.parent for path in (tmp_path / "run").rglob("events.out.tfevents.*"))
    events = EventAccumulator(str(folder))
    events.Reload()
    pictures = events.Images("reconstructions")
    assert [event.step for event in pictures] == [2, 4]
    drawn = np.array(Image.open(tmp_path / "run" / "reconstructions" / "epoch_2.png"))
    shown = np.array(Image.open(io.BytesIO(pictures[1].encoded_image_string)).convert("RGB"))
    np.testing.assert_array_equal(shown, drawn)
    assert "loss" in events.Tags()["scalars"]
    # ... and what reports are made from is there as well, but the picture not twice.
    assert '"loss"' in (folder / "scalars.json").read_text()
    assert list((tmp_path / "run").rglob("vis_image/*")) == []


def test_a_missing_tensorboard_is_said_before_training(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    config = small_run(photographs, tmp_path / "run")
    config.visualizer.vis_backends[0].type = "LocalTensorboardVisBackend"
    with pytest.raises(ImportError, match="pip install tensorboard"):
        Runner.from_cfg(config)


def test_a_resumed_run_draws_the_same_clips(photographs: Path, tmp_path: Path) -> None:
    hook = dict(type="ReconstructionHook", num_clips=2, columns=4)

    def run() -> Config:
        config = small_run(photographs, tmp_path / "whole", 2)
        config.model.backbone.drop_path_rate = 0.0  # draws from a generator that no one resumes
        return config

    trained(run(), hook)
    whole = np.array(Image.open(tmp_path / "whole" / "reconstructions" / "epoch_2.png"))
    shutil.rmtree(tmp_path / "whole" / "reconstructions")
    config = run()
    config.resume, config.load_from = True, str(tmp_path / "whole" / "epoch_1.pth")
    config.experiment_name += "_resumed"
    trained(config, hook)
    resumed = np.array(Image.open(tmp_path / "whole" / "reconstructions" / "epoch_2.png"))
    np.testing.assert_array_equal(resumed, whole)


def test_reconstructions_carry_the_models_own_loss(photographs: Path, tmp_path: Path) -> None:
    runner = Runner.from_cfg(small_run(photographs, tmp_path / "loss"))
    model = runner.model
    samples = read_samples(runner.train_dataloader.dataset, [0, 3, 5])
    drawn = reconstruct_samples(model, samples)
    assert all(module.training for module in model.modules())
    model.eval()
    for sample, branches in zip(samples, drawn, strict=True):
        (item,) = branches.values()
        batch = dict(inputs=[sample.packed["inputs"]], data_samples=[sample.packed["data_samples"]])
        batch = model.data_preprocessor(batch, False)
        with torch.no_grad():
            loss = model(batch["inputs"], batch["data_samples"], mode="loss")["loss_pixel"]
        assert item.loss == pytest.approx(float(loss), rel=1e-5)
        assert item.token_loss.mean() == pytest.approx(float(loss), rel=1e-5)
        assert item.token_loss.std() > 0.01
        # Zeros miss a normalised target by its (biased) variance, all but one of 512 pixels.
        assert 0.5 < item.flat_loss < 1.0
        np.testing.assert_array_equal(item.clip, sample.clip)
        np.testing.assert_array_equal(
            item.mask, model.draw(batch["inputs"][:, 0], batch["data_samples"]).mask[0]
        )


def test_every_part_gets_its_own_mode_back() -> None:
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout()))
    model[1].eval()
    with pytest.raises(KeyError), evaluating(model):  # noqa: PT012
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        raise KeyError
    assert [module.training for module in model.modules()] == [True, True, False, False]
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    "option", [dict(interval=0), dict(num_clips=0), dict(columns=0), dict(statistics="both")]
)
def test_mistakes_name_their_key(option: dict) -> None:
    with pytest.raises(ValueError, match=rf"default_hooks\.reconstruction\.{next(iter(option))}"):
        ReconstructionHook(**option)


def test_a_model_of_which_nothing_can_be_drawn_is_refused() -> None:
    model = nn.Module()
    model.heads = nn.ModuleDict({"words": nn.Module()})
    model.heads["words"].target = nn.Identity()
    with pytest.raises(ValueError, match=r"none of model.branches \(words\).*PixelTarget"):
        drawn_branches(model)


def test_a_recipe_that_reconstructs_nothing_is_refused() -> None:
    runner = SimpleNamespace(model=nn.Linear(1, 1))
    with pytest.raises(ValueError, match="a Linear masks and reconstructs nothing.*pre-training"):
        ReconstructionHook().before_train(runner)


@pytest.mark.slow
def test_two_processes_train_the_same_and_one_of_them_draws(
    photographs: Path, tmp_path: Path
) -> None:
    hook = {"default_hooks.reconstruction.type": "ReconstructionHook",
            "default_hooks.reconstruction.num_clips": 1}  # fmt: skip
    changes = {f"train_dataloader.dataset.images.{key}": value for key, value in dict(
        _delete_=True, type="FolderImages", root=photographs).items()}  # fmt: skip
    changes |= {**TINY_BACKBONE, **SHORT, "train_dataloader.batch_size": 1,
                "model.branches.pixel.neck.embed_dims": 12, "train_cfg.max_epochs": 1,
                "train_dataloader.dataset.num_images": 8,
                "train_dataloader.dataset.pipeline.crop.input_size": 32,
                "train_dataloader.dataset.pipeline.resize.scale": (32, 32),
                "train_dataloader.dataset.pipeline.motion.num_frames": 4}  # fmt: skip
    weights = []
    for extra in ({}, hook):
        work_dir = tmp_path / f"run{len(extra)}"
        run = fork_train_in_two(
            "pmg/vit-toy_generated.py", "--work-dir", work_dir, changes={**changes, **extra}
        )
        assert run.status == 0, run.output[-3000:]
        weights.append(torch.load(work_dir / "epoch_1.pth", weights_only=False)["state_dict"])
    without, with_hook = weights
    for name, value in without.items():
        assert torch.equal(value, with_hook[name]), name
    assert run.output.count("reconstructions drawn to") == 1
    assert [path.name for path in (work_dir / "reconstructions").iterdir()] == ["epoch_1.png"]


@pytest.mark.parametrize("recipe", ["vit-toy_photographs", "vit-toy_photographs_exact-flow"])
def test_motion_is_drawn_too_and_training_is_still_the_same(
    photographs: Path, tmp_path: Path, recipe: str
) -> None:
    folder = RECIPE.parents[1] / "motionmae"

    def run(name: str) -> Config:
        config = small_run(photographs, tmp_path / name, 1, recipe=folder / f"{recipe}.py")
        config.model.data_preprocessor.flip_ratio = 0.5  # of the clips drawn none may be mirrored
        return config

    hook = dict(type="ReconstructionHook", num_clips=1, columns=2)
    without = trained(run("without"))
    with_hook = trained(run("with"), hook)
    for name, value in without.items():
        assert torch.equal(value, with_hook[name]), name
    with Image.open(tmp_path / "with" / "reconstructions" / "epoch_1.png") as picture:
        drawn = (np.asarray(picture.convert("L"))[:, 222:348] < 255).any(axis=1)
    edges = np.flatnonzero(np.diff(drawn.astype(int), prepend=0, append=0))
    rows = int((edges[1::2] - edges[::2] == 128).sum())  # below the caption, of any height
    # Clip, masked, pixels, their loss, true motion (and normalised), predicted motion, its loss.
    assert rows == (7 if "flow" in recipe else 8)
