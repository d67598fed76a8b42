"""Real videos, decoded by decord: as they are, mixed with pseudo motion, or one frame of each."""

from __future__ import annotations

import math
from pathlib import Path

import mmaction
import pytest
import torch
from integration.tiny_runs import TINY_BACKBONE, options_of
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

import mmpmg  # noqa: F401  (registers)
from mmpmg.datasets.named_pipeline import in_order
from mmpmg.engine.launch import build_runner, load_recipe

PLAIN = "videomae/vit-b_ucf101.py"
MIXED = "pmg/vit-b_ucf101-videos_aug.py"
FRAMES = "pmg/vit-b_ucf101-frames.py"
SIZES = dict(
    MultiScaleCrop=dict(input_size=32),
    Resize=dict(scale=(32, 32)),
    PMGPipeline=dict(num_frames=4),
    PMGAug=dict(prob=0.5),
)


def small(recipe: str, videos: Path, work_dir: Path) -> Config:
    """Load a ViT-B recipe, made small, on the tiny videos; every transform of it stays."""
    config = load_recipe(options_of(recipe, work_dir, dict(TINY_BACKBONE)))
    for branch in config.model.branches.values():
        branch.neck.update(embed_dims=12, depth=1, num_heads=3)
    loader = config.train_dataloader
    loader.update(batch_size=4, num_workers=0, persistent_workers=False, pin_memory=False)
    if recipe == FRAMES:
        loader.dataset.images.update(ann_file=str(videos), root=str(videos.parent))
    else:
        loader.dataset.update(ann_file=str(videos), data_prefix=dict(video=str(videos.parent)))
    for step in in_order(loader.dataset.pipeline):
        step.update(SIZES.get(step.type, {}))
        if step.type == "SampleFrames" and step.clip_len > 1:
            step.update(clip_len=4, frame_interval=2)
    config.train_cfg.max_epochs = 2
    config.param_scheduler[0].update(by_epoch=False, end=2, convert_to_iter_based=False)
    config.param_scheduler[1].update(by_epoch=False, begin=2, convert_to_iter_based=False)
    config.experiment_name = f"{Path(recipe).stem}-{work_dir.name}"
    return config


def clips(config: Config, epochs: int, workers: int = 0) -> list[dict[str, torch.Tensor]]:
    """Return file name -> (clip, seed) as one tensor for each epoch, through Runner's loader."""
    init_default_scope("mmaction")
    loader = Config(config.train_dataloader.to_dict())
    loader.update(num_workers=workers, persistent_workers=workers > 0)
    if workers:
        loader.multiprocessing_context = "fork"
    loader = Runner.build_dataloader(loader, seed=7)
    seen = []
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        seen.append(
            {
                Path(sample.metainfo["filename"]).name: clip
                for batch in loader
                for clip, sample in zip(batch["inputs"], batch["data_samples"])
            }
        )
        assert len(seen[-1]) == 8
    return seen


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> list[bool]:
    return [torch.equal(a[name], b[name]) for name in sorted(a)]


@pytest.mark.parametrize("recipe", [PLAIN, MIXED, FRAMES], ids=lambda path: Path(path).stem)
def test_pretraining_takes_steps_on_real_videos(recipe, videos, tmp_path):
    config = small(recipe, videos, tmp_path)
    runner = build_runner(config)
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    runner.train()
    losses = runner.message_hub.get_scalar("train/loss_pixel").data[0]
    assert len(losses) == 4, "8 videos, 4 a step, 2 epochs"
    assert all(math.isfinite(loss) and 0.2 < loss < 10 for loss in losses), losses
    after = runner.model.state_dict()
    still = {name for name, _ in runner.model.named_parameters()}
    still = {name for name in still if torch.equal(before[name], after[name])}
    assert not still
    assert (tmp_path / "encoder.pth").is_file()


@pytest.mark.parametrize("recipe", [PLAIN, MIXED, FRAMES], ids=lambda path: Path(path).stem)
def test_the_same_seed_gives_the_same_inputs_on_any_number_of_workers(recipe, videos, tmp_path):
    config = small(recipe, videos, tmp_path)
    alone = clips(config, 2)
    for workers in (1, 2):
        for epoch, again in enumerate(clips(config, 2, workers)):
            assert all(same(alone[epoch], again)), (workers, epoch)
    assert not any(same(*alone)), "epochs differ"
    assert next(iter(alone[0].values())).shape == (1, 3, 4, 32, 32)


def test_pmg_aug_replaces_some_clips_and_leaves_the_others_as_they_are(videos, tmp_path):
    """Its draws are its own, so a clip that it leaves alone is the plain recipe's, bit by bit."""
    mixed = small(MIXED, videos, tmp_path)
    plain = Config(mixed.to_dict())
    assert plain.train_dataloader.dataset.pipeline.motion.type == "PMGAug"
    plain.train_dataloader.dataset.pipeline.motion = None
    pairs = zip(clips(mixed, 8), clips(plain, 8))
    untouched = [equal for one, other in pairs for equal in same(one, other)]
    assert len(untouched) == 64
    assert 16 <= sum(untouched) <= 48, "half of 64, four standard deviations either way"


def test_frames_of_a_pseudo_clip_come_from_one_frame(videos, tmp_path):
    """The first of them is that very frame: Affine starts from it."""
    config = small(FRAMES, videos, tmp_path)
    seen = {}
    for op in ("Affine", "Identity"):
        for step in in_order(config.train_dataloader.dataset.pipeline):
            if step.type == "PMGPipeline":
                step.ops = dict(only=dict(type=op))
        seen[op] = clips(config, 1)[0]
    moved, still = seen["Affine"], seen["Identity"]
    for name, clip in moved.items():
        frames = still[name][0].transpose(0, 1)
        assert all(torch.equal(frame, frames[0]) for frame in frames)
        assert torch.equal(clip[0, :, 0], frames[0])
        difference = (clip.float() - still[name].float()).abs()[0].mean((0, 2, 3))
        assert difference.max() > 0.5, f"{name} does not move"


@pytest.mark.parametrize(
    ("recipe", "shape"),
    [
        ("slowonly/slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb.py", (1, 3, 8, 224, 224)),
        ("tsn/tsn_imagenet-pretrained-r50_8xb32-dense-1x1x5-100e_kinetics400-rgb.py",
         (5, 3, 224, 224)),
        ("timesformer/timesformer_spaceOnly_8xb8-8x32x1-15e_kinetics400-rgb.py",
         (1, 3, 8, 224, 224)),
    ],
)  # fmt: skip
def test_pmg_aug_is_one_more_line_in_mmaction_s_own_recipes(recipe, shape, videos):
    init_default_scope("mmaction")
    folder = Path(mmaction.__file__).parent / ".mim/configs/recognition"
    config = Config.fromfile(str(folder / recipe))
    dataset = config.train_dataloader.dataset
    dataset.update(ann_file=str(videos), data_prefix=dict(video=str(videos.parent)))
    kinds = [step.type for step in dataset.pipeline]
    dataset.pipeline.insert(kinds.index("FormatShape"), dict(type="PMGAug", prob=1.0))
    sample = DATASETS.build(dataset)[3]
    assert tuple(sample["inputs"].shape) == shape
    assert sample["data_samples"].gt_label.item() == 1
    if len(shape) == 5:
        frames = sample["inputs"][0].float().transpose(0, 1)
        steps = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3))
        assert (steps > 0.05).all(), "pseudo motion moves in every frame"
