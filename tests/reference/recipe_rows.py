"""What a resolved recipe says, in the words of the papers' tables of settings."""

import copy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config

from mmpmg.datasets.named_pipeline import in_order

ROOT = Path(__file__).parents[2] / "configs"


@cache
def as_written(path):
    return Config.fromfile(str(ROOT / f"{path}.py"), import_custom_modules=False)


def load(path):
    return copy.deepcopy(as_written(path))


def steps_of(loader):
    return {step["type"]: step for step in in_order(loader.dataset.pipeline)}


def schedule(config, gpus):
    """Optimiser, batch and schedule as the tables word them, checking the words without number.

    ``gpus`` is how many the paper has; a recipe that accumulates is for one.
    """
    optimizer = config.optim_wrapper.optimizer
    assert optimizer.type == "FusedAdamW"
    warmup, cosine = config.param_scheduler
    assert warmup.type.startswith("LinearLR") and cosine.type.startswith("CosineAnnealingLR")
    assert (warmup.begin, cosine.begin) == (0, warmup.end)
    assert cosine.get("end") is None, "the cosine ends with the run"
    for part in (warmup, cosine):
        assert part.by_epoch and part.convert_to_iter_based, "epochs in the table, smooth inside"
    counts = config.optim_wrapper.get("accumulative_counts", 1)
    batch = config.train_dataloader.batch_size * counts * (gpus if counts == 1 else 1)
    assert batch == config.auto_scale_lr.base_batch_size
    return {
        "learning rate": optimizer.lr,
        "weight decay": optimizer.weight_decay,
        "beta 1": optimizer.betas[0],
        "beta 2": optimizer.betas[1],
        "batch size": batch,
        "warmup epochs": warmup.end,
        "epochs": config.train_cfg.max_epochs,
    }


def ends(config):
    """First rate of the warm-up and last one of the cosine, as shares of the learning rate."""
    warmup, cosine = config.param_scheduler
    given = {key for key in ("eta_min", "eta_min_ratio") if cosine.get(key) is not None}
    assert len(given) == 1
    rate = config.optim_wrapper.optimizer.lr
    last = cosine.eta_min_ratio if "eta_min_ratio" in cosine else cosine.eta_min / rate
    return {"start of warm-up": warmup.start_factor, "end of cosine": last}


def colours(config):
    """Mean and standard deviation of the channels, red first."""
    preprocessor = config.model.data_preprocessor
    return {"colour mean": tuple(preprocessor["mean"]), "colour std": tuple(preprocessor["std"])}


def recognition(config):
    """What no table says of a recognizer's training and testing."""
    return {
        "average of views": config.model.cls_head.average_clips,
        "area of crops": steps_of(config.train_dataloader)["RandomResizedCrop"].area_range,
    }


def flips(loader):
    flip = steps_of(loader).get("Flip")
    assert flip is None or flip == dict(type="Flip", flip_ratio=0.5)
    return flip is not None


def built(model):
    """The model as the recipe builds it, narrow: rates and options are what is looked at."""
    model = copy.deepcopy(model)
    model.backbone.update(img_size=32, patch_size=16, embed_dims=12, depth=3, num_heads=2)
    model.cls_head.in_channels = 12
    return MODELS.build(model)


def sampled(step, frames):
    """Numbers of the frames that a sampling transform takes of a long video."""
    np.random.seed(3)  # noqa: NPY002  (MMAction2 draws from the global generator)
    results = TRANSFORMS.build(step)(dict(total_frames=frames, start_index=0))
    return results["frame_inds"].reshape(-1, step["clip_len"])


def frame_sampler(loader):
    """The transform that chooses frames."""
    steps = in_order(loader.dataset.pipeline)
    (step,) = [s for s in steps if s["type"] in ("SampleFrames", "UniformSample")]
    return step


def sampling(loader):
    """'dense': frames at one step; 'uniform': one frame out of each equal part of the video."""
    clips = sampled(frame_sampler(loader), 1601)
    gaps = np.diff(clips[0])
    if len(set(gaps)) == 1 and gaps[0] < 20:
        return "dense", int(gaps[0])
    for clip in clips:
        part = 1600 / len(clip)
        assert all(part * k <= frame <= part * (k + 1) for k, frame in enumerate(clip))
    return "uniform", None


def pretraining_row(config, gpus):
    """The rows that both papers have for pre-training."""
    return schedule(config, gpus) | {
        "mask ratio": config.model.masker.mask_ratio,
        "flip augmentation": flips(config.train_dataloader),
    }


def finetuning_row(config, gpus):
    """The rows for fine-tuning, and what the tables are silent on."""
    steps = steps_of(config.train_dataloader)
    augment = TRANSFORMS.build(steps["ClipRandAugment"])
    parts = {
        text.rstrip("0123456789."): text.lstrip("abcdefghijklmnopqrstuvwxyz")
        for text in augment.spec.split("-")[1:]
    }
    model = built(config.model)
    blending = model.data_preprocessor.blending
    kind, step = sampling(config.train_dataloader)
    assert sampling(config.val_dataloader) == (kind, step)
    test = steps_of(config.test_dataloader)
    crops = {"ThreeCrop": 3, "CenterCrop": 1}
    dataset = config.train_dataloader.dataset
    assert dataset.type == "SeededRepeatAugDataset"
    assert config.train_dataloader.collate_fn.type == "repeat_pseudo_collate"
    assert config.optim_wrapper.constructor == "EncoderLayerDecayConstructor"
    dropout = model.cls_head.dropout
    return schedule(config, gpus) | {
        "repeated augmentation": dataset.num_repeats,
        "flip augmentation": flips(config.train_dataloader),
        "RandAug": (int(parts["m"]), float(parts["mstd"])),
        "label smoothing": model.cls_head.label_smooth_eps,
        "mixup": blending.mixup.beta.concentration0.item(),
        "cutmix": blending.cutmix.beta.concentration0.item(),
        "drop path": model.backbone.blocks[-1].drop_path.drop_prob,
        "dropout": 0.0 if dropout is None else dropout.p,
        "layer-wise lr decay": config.optim_wrapper.paramwise_cfg.decay_rate,
        "sampling": kind,
        "step of dense sampling": step,
        "views": (
            len(sampled(frame_sampler(config.test_dataloader), 1601)),
            next(crops[t] for t in test if t in crops),
        ),
        "random erasing": steps["RandomErasing"].erase_prob,
        "operations of RandAug": int(parts["n"]),
        "switch to cutmix": blending.cutmix_prob,
        "std of the classifier": model.cls_head.init_std,
    }


def approximately(row):
    return {
        key: pytest.approx(value) if isinstance(value, float) else value
        for key, value in row.items()
    }
