"""PMG, supplement, Tables 1 and 2, typed in from the paper, against every recipe that they set."""

from pathlib import Path

import numpy as np
import pytest
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpmg.datasets.named_pipeline import in_order

ROOT = Path(__file__).parent.parent / "configs"
GPUS = 8  # supplement, Sec. B
COLUMNS = ("kinetics400", "ssv2-mini", "other")
CLASSES = dict(  # supplement, Sec. A
    ucf101=101, hmdb51=51, diving48=48, ikeafa=12, kinetics400=400,
) | {"ssv2-mini": 87, "uav-human": 155}  # fmt: skip

TABLE_1 = {
    "learning rate": (1e-3, 1e-3, 1e-3),
    "weight decay": (0.05, 0.05, 0.05),
    "beta 1": (0.9, 0.9, 0.9),
    "beta 2": (0.95, 0.95, 0.95),
    "mask ratio": (0.75, 0.75, 0.75),
    "batch size": (256, 256, 256),
    "warmup epochs": (40, 40, 40),
    "epochs": (800, 2000, 2000),
    "flip augmentation": (True, False, True),
}
TABLE_2 = {
    "learning rate": (1e-3, 1e-3, 1e-3),
    "weight decay": (0.05, 0.05, 0.05),
    "beta 1": (0.9, 0.9, 0.9),
    "beta 2": (0.999, 0.999, 0.999),
    "batch size": (128, 128, 128),
    "warmup epochs": (5, 5, 5),
    "epochs": (50, 100, 100),
    "repeated augmentation": (2, 2, 2),
    "flip augmentation": (True, False, True),
    "RandAug": ((9, 0.5), (9, 0.5), (9, 0.5)),
    "label smoothing": (0.1, 0.1, 0.1),
    "mixup": (0.8, 0.8, 0.8),
    "cutmix": (1.0, 1.0, 1.0),
    "drop path": (0.1, 0.1, 0.2),
    "dropout": (0.0, 0.0, 0.5),
    "layer-wise lr decay": (0.75, 0.75, 0.75),
    "sampling": ("dense", "uniform", "dense"),
}
#: Where Table 2 is silent: VideoMAE's settings, which the paper "mostly" follows (Sec. B).
SILENT = {
    "step of dense sampling": (4, None, 4),
    "views": ((5, 3), (2, 3), (5, 3)),
    "random erasing": (0.25, 0.25, 0.25),
    "operations of RandAug": (4, 4, 4),
    "switch to cutmix": (0.5, 0.5, 0.5),
    "std of the classifier": (2e-5, 2e-5, 2e-5),
}


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def load(path):
    return Config.fromfile(str(ROOT / f"{path}.py"), import_custom_modules=False)


def column(table, name):
    return {row: values[COLUMNS.index(name)] for row, values in table.items()}


def steps_of(loader):
    return {step["type"]: step for step in in_order(loader.dataset.pipeline)}


def schedule(config):
    """Optimiser, batch and schedule as both tables word them, checking the words without number."""
    optimizer = config.optim_wrapper.optimizer
    assert optimizer.type == "FusedAdamW"
    warmup, cosine = config.param_scheduler
    assert warmup.type.startswith("LinearLR") and cosine.type.startswith("CosineAnnealingLR")
    assert (warmup.begin, cosine.begin) == (0, warmup.end)
    assert cosine.get("end") is None, "the cosine ends with the run"
    for part in (warmup, cosine):
        assert part.by_epoch and part.convert_to_iter_based, "epochs in the table, smooth inside"
    counts = config.optim_wrapper.get("accumulative_counts", 1)
    gpus = GPUS if counts == 1 else 1
    batch = config.train_dataloader.batch_size * counts * gpus
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


def flips(loader):
    flip = steps_of(loader).get("Flip")
    assert flip is None or flip == dict(type="Flip", flip_ratio=0.5)
    return flip is not None


def built(model):
    """The model as the recipe builds it, narrow: rates and options are what is looked at."""
    model = model.copy()
    model.backbone.update(img_size=32, patch_size=16, embed_dims=12, depth=3, num_heads=2)
    model.cls_head.in_channels = 12
    return MODELS.build(model)


def sampled(step, frames):
    """Numbers of the frames that a sampling transform takes of a long video."""
    np.random.seed(3)  # noqa: NPY002  (MMAction2 draws from the global generator)
    results = TRANSFORMS.build(step)(dict(total_frames=frames, start_index=0))
    return results["frame_inds"].reshape(-1, 16)


def sampling(loader):
    """'dense': 16 frames at one step; 'uniform': one frame out of each 16th of the video."""
    (step,) = [s for s in in_order(loader.dataset.pipeline) if "Sample" in s["type"]]
    clips = sampled(step, 1601)
    gaps = np.diff(clips[0])
    if len(set(gaps)) == 1 and gaps[0] < 20:
        return "dense", int(gaps[0])
    for clip in clips:
        assert all(100 * k <= frame <= 100 * (k + 1) for k, frame in enumerate(clip))
    return "uniform", None


def pretraining_row(config):
    assert config.model.masker.type == "TubeMasker"
    return schedule(config) | {
        "mask ratio": config.model.masker.mask_ratio,
        "flip augmentation": flips(config.train_dataloader),
    }


def finetuning_row(config):
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
    (test_step,) = [s for s in test.values() if "Sample" in s["type"]]
    crops = {"ThreeCrop": 3, "CenterCrop": 1}
    dataset = config.train_dataloader.dataset
    assert dataset.type == "SeededRepeatAugDataset"
    assert config.train_dataloader.collate_fn.type == "repeat_pseudo_collate"
    assert config.optim_wrapper.constructor == "EncoderLayerDecayConstructor"
    dropout = model.cls_head.dropout
    return schedule(config) | {
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
        "views": (len(sampled(test_step, 1601)), next(crops[t] for t in test if t in crops)),
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


FRAMES = [f"{name}-frames" for name in CLASSES]


@pytest.mark.parametrize("name", [*FRAMES, "shaders1k", "shaders1k_1gpu", "pass", "imagenet"])
def test_pretraining_is_table_1(name):
    own = name.partition("-frames")[0]
    expected = column(TABLE_1, own if own in COLUMNS else "other")
    assert pretraining_row(load(f"pmg/vit-b_{name}")) == approximately(expected)


@pytest.mark.parametrize("gpus", ["", "_1gpu"])
@pytest.mark.parametrize("name", CLASSES)
def test_finetuning_is_table_2(name, gpus):
    expected = column(TABLE_2 | SILENT, name if name in COLUMNS else "other")
    assert finetuning_row(load(f"finetune/vit-b_{name}{gpus}")) == approximately(expected)


@pytest.mark.parametrize("folder", ["finetune", "linear_probe"])
@pytest.mark.parametrize("name", CLASSES)
def test_the_class_count_is_the_data_set_s_wherever_it_stands(name, folder):
    model = load(f"{folder}/vit-b_{name}").model
    assert model.cls_head.num_classes == CLASSES[name]
    blending = model.data_preprocessor.blending
    if folder == "finetune":
        assert blending.num_classes == CLASSES[name]
    else:
        assert blending is None


@pytest.mark.parametrize("folder", ["finetune", "linear_probe"])
@pytest.mark.parametrize("name", CLASSES)
def test_all_three_loaders_read_the_same_data_set(name, folder):
    config = load(f"{folder}/vit-b_{name}")
    place = name.replace("-", "_")
    files = []
    for part in ("train", "val", "test"):
        dataset = config[f"{part}_dataloader"].dataset
        assert dataset.data_prefix == dict(video=f"data/{place}/videos")
        assert dataset.ann_file.startswith(f"data/{place}/{place}_")
        files.append(dataset.ann_file)
    assert "train" in files[0]
    assert files[1] == files[2] != files[0]


@pytest.mark.parametrize("name", CLASSES)
def test_linear_probing_freezes_all_but_a_linear_layer_and_regularises_nothing(name):
    config = load(f"linear_probe/vit-b_{name}")
    model = built(config.model)
    moving = {key for key, value in model.named_parameters() if value.requires_grad}
    assert moving == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert type(model.cls_head).__name__ == "LinearProbeHead" and model.cls_head.dropout is None
    assert config.custom_hooks[1].type == "FeatureStatisticsHook"
    assert model.cls_head.label_smooth_eps == 0
    steps = steps_of(config.train_dataloader)
    assert not {"ClipRandAugment", "RandomErasing"} & set(steps)
    assert flips(config.train_dataloader) == (name != "ssv2-mini")
    own = name if name in COLUMNS else "other"
    assert sampling(config.train_dataloader)[0] == column(TABLE_2, own)["sampling"]
    assert config.optim_wrapper.optimizer == dict(
        type="SGD", lr=0.1 * 128 / 256, momentum=0.9, weight_decay=0.0
    )
    batch = config.train_dataloader.batch_size * GPUS
    assert batch == config.auto_scale_lr.base_batch_size == 128
    assert config.train_dataloader.dataset.num_repeats == 1
