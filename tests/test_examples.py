"""The "bring your own" examples: what each promises, and that its recipe trains elsewhere."""

from __future__ import annotations

import importlib
import json
import math
import shutil
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from reference.example_modules import EXAMPLES, FOLDER, forgotten

from mmpmg.engine.launch import load_recipe
from mmpmg.engine.training import train
from mmpmg.models.targets import WholeClip
from mmpmg.motion import Motion, render

#: Two steps of clips of 4 x 32 x 32 under one block of width 24.
TINY = {
    "model.backbone.img_size": 32,
    "model.backbone.num_frames": 4,
    "model.backbone.tubelet_size": 2,
    "model.backbone.embed_dims": 24,
    "model.backbone.depth": 1,
    "model.backbone.num_heads": 3,
    "model.branches.pixel.neck.embed_dims": 12,
    "model.branches.pixel.neck.depth": 1,
    "train_dataloader.batch_size": 4,
    "train_dataloader.num_workers": 0,
    "train_dataloader.dataset.num_images": 8,
    "train_dataloader.dataset.pipeline.crop.input_size": 32,
    "train_dataloader.dataset.pipeline.resize.scale": (32, 32),
    "train_dataloader.dataset.pipeline.motion.num_frames": 4,
    "train_cfg.max_epochs": 1,
    "param_scheduler.0.end": 1,
    "param_scheduler.1.begin": 1,
    "default_hooks.logger.interval": 1,
}


@pytest.fixture
def own(request, tmp_path, monkeypatch):
    """Copy an example to a folder of the user's and import its module; forget it afterwards."""
    name = request.param
    folder = tmp_path / name
    shutil.copytree(FOLDER / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    init_default_scope("mmaction")
    with forgotten():
        yield folder, importlib.import_module(EXAMPLES[name])


def options(folder: Path, changes: dict) -> Namespace:
    return Namespace(
        config="recipe.py", work_dir=str(folder / "run"), cfg_options=changes,
        launcher="none", local_rank=0, resume=None, amp=False, no_validate=False,
        auto_scale_lr=False, seed=None, diff_rank_seed=False, deterministic=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_short(name):
    lines = [path.read_text().count("\n") for path in (FOLDER / name).glob("*.py")]
    assert len(lines) == 2
    assert sum(lines) < 60


@pytest.mark.parametrize("own", EXAMPLES, indirect=True)
def test_its_recipe_trains_from_a_folder_elsewhere(own):
    folder, _ = own
    changes = dict(TINY, experiment_name=folder.name)
    if folder.name == "own_target":
        changes |= {"model.branches.motion.neck.embed_dims": 12}
        changes |= {"model.branches.motion.neck.depth": 1}
    train(options(folder, changes))
    (log,) = (folder / "run").glob("*/vis_data/scalars.json")
    losses = [json.loads(line)["loss"] for line in log.read_text().splitlines()]
    assert len(losses) == 2
    assert all(math.isfinite(loss) and loss > 0 for loss in losses)
    assert (folder / "run/encoder.pth").is_file()


@pytest.mark.parametrize("own", ["own_motion"], indirect=True)
def test_the_recipe_of_the_motion_draws_it_and_the_zoom(own):
    ops = load_recipe(options(own[0], {})).train_dataloader.dataset.pipeline.motion.ops
    assert {name: op and op.type for name, op in ops.items()} == {
        "zoom": "ZoomInOut",
        "affine": None,
        "sway": "Sway",
    }


@pytest.mark.parametrize("own", ["own_motion"], indirect=True)
def test_the_motion_turns_about_a_point_of_the_upper_edge(own):
    for seed in range(20):
        motion = own[1].Sway(angle=15.0).sample(np.random.default_rng(seed), 16, (48, 64))
        matrices = motion.homographies
        turns = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
        assert abs(turns).max() <= 15.0
        assert np.ptp(turns) > 15.0  # swings to both sides
        np.testing.assert_allclose(turns.mean(), 0.0, atol=1e-9)  # once there and back
        rotation = matrices[:, :2, :2]
        square = rotation @ rotation.transpose(0, 2, 1)
        np.testing.assert_allclose(square, [np.eye(2)] * 16, atol=1e-12)
        # The one point that two different turns leave in its place.
        pivot = np.linalg.lstsq(matrices[4, :2, :2] - np.eye(2), -matrices[4, :2, 2], rcond=None)[0]
        np.testing.assert_allclose(matrices @ [*pivot, 1.0], [[*pivot, 1.0]] * 16, atol=1e-9)
        np.testing.assert_allclose(pivot[1], 0.0, atol=1e-9)
        assert 0.0 <= pivot[0] <= 64.0


@pytest.mark.parametrize("own", ["own_motion"], indirect=True)
def test_the_motion_is_replayed_and_its_flow_leads_from_frame_to_frame(own):
    motion = own[1].Sway(angle=8.0).sample(np.random.default_rng(3), 8, (64, 64))
    assert Motion.from_dict(json.loads(json.dumps(motion.to_dict()))) == motion
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    clip = render(cv2.resize(noise, (64, 64), interpolation=cv2.INTER_CUBIC), motion)
    flow, seen = motion.flow(), motion.covisible()
    places = np.stack(np.meshgrid(np.arange(64.0), np.arange(64.0)), axis=-1).astype(np.float32)
    for k in range(7):
        x, y = np.moveaxis(places + flow[k], -1, 0)
        there = cv2.remap(clip[k + 1], x, y, cv2.INTER_LINEAR)
        difference = abs(there.astype(int) - clip[k])[seen[k]]
        assert difference.mean() < 1.5  # grey levels, of two interpolations
        assert seen[k].mean() > 0.5


@pytest.mark.parametrize("own", ["own_masker"], indirect=True)
def test_the_masker_hides_whole_blocks_in_every_slot(own):
    masker = own[1].BlockTubeMasker(mask_ratio=0.75, block=2)
    seeds = torch.arange(7, 207)
    masks = masker(seeds, (3, 8, 6))
    assert masks.sum(dim=1).unique().tolist() == [masker.num_masked((3, 8, 6))] == [3 * 9 * 4]
    for mask in masks.view(-1, 3, 8, 6):
        assert all(mask[slot].equal(mask[0]) for slot in range(3))
        for row in range(0, 8, 2):
            for column in range(0, 6, 2):
                assert mask[0, row : row + 2, column : column + 2].unique().numel() == 1
    share = masks.view(-1, 3, 8, 6)[:, 0].float().mean(dim=0)
    assert (share - 0.75).abs().max() < 5 * math.sqrt(0.75 * 0.25 / 200)  # no place is preferred
    assert masker(seeds[5:6], (3, 8, 6)).equal(masks[5:6])  # of its seed, not of its batch
    with pytest.raises(ValueError, match=r"block 2 does not divide 7 x 6 tokens.*model\.masker"):
        masker.check((3, 7, 6))


@pytest.mark.parametrize("own", ["own_target"], indirect=True)
def test_the_target_is_the_second_difference(own):
    target = own[1].AccelerationTarget((2, 4, 4), normalize=False)
    time = torch.arange(6.0)
    falling = (0.02 * time**2 + 0.1 * time).view(1, 1, 6, 1, 1).expand(1, 3, 6, 8, 8)
    field = target.field(WholeClip(falling))
    assert field[:, :, [0, 5]].isnan().all()
    torch.testing.assert_close(field[:, :, 1:5], torch.full((1, 3, 4, 8, 8), 0.04))

    clip = torch.rand(1, 3, 6, 8, 8, generator=torch.Generator().manual_seed(0))
    (token,) = target(WholeClip(clip), torch.tensor([[4 + 3]]))[0]  # middle slot, lower right
    expected = [
        clip[0, c, k + 1, y, x] - 2 * clip[0, c, k, y, x] + clip[0, c, k - 1, y, x]
        for k in (2, 3) for y in range(4, 8) for x in range(4, 8) for c in range(3)
    ]  # fmt: skip
    torch.testing.assert_close(token, torch.stack(expected))
    with pytest.raises(ValueError, match="clips of 2 frames"):
        target.check(2, torch.nn.Identity())
