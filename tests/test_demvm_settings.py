"""DEMVM, Sec. 3 and 4.1, typed in from the paper, against every recipe that they set."""

import copy

import pytest
import torch
from mmaction.registry import HOOKS, MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from reference.recipe_rows import (
    ROOT,
    approximately,
    colours,
    frame_sampler,
    load,
    sampled,
    sampling,
)
from reference.recipe_rows import steps_of as steps

GPUS = 4  # "only on 4 Nvidia GeForce RTX 3090"
SECTION_4_1 = {
    "epochs": 10,
    "batch size": 24,
    "resolution": (224, 224),
    "frames": 16,
    "P_den": 0.7,
    "P_spr": 0.3,
    "P_spa": (0.3, 0.8),
    "P_tmp": (0.3, 0.9),
    "Ep": 100,
    "power of progress": 0.5,  # Eq. 15 and 16
    "optimizer": "Adam",
    "learning rate": 5e-5,
    "weight decay": 1e-5,
    # Sec. 3
    "codes": 2048,
    "stride of the tokenizer": (2, 4, 4),
    "downsampling before it": 2,
    "stages that the decoder reads": (1, 3),  # F_2 and F_4
    "decoder": "SwinDecoder",
}
#: Where the paper is silent.
SILENT = {
    "betas": (0.9, 0.999),
    "warmup epochs": 1,
    "start of warm-up": 1 / 300,
    "end of cosine": 1 / 30,
    "sampling": ("dense", 4),
    "crop": "MultiScaleCropInside",
    "flip": False,
    "rule of Eq. 8 to 11": "counts",
}
FINETUNING = {
    "epochs": 30,
    "head": "I3DHead",
    "views": (4, 3),  # Table 3: "88 x 12" GFLOPs
    # "Other configurations are consistent with pre-training."
    **{key: SECTION_4_1[key] for key in ("batch size", "resolution", "frames", "optimizer")},
    **{key: SECTION_4_1[key] for key in ("learning rate", "weight decay")},
    **{key: value for key, value in SILENT.items() if key != "rule of Eq. 8 to 11"},
}
CLASSES = dict(ucf101=101, hmdb51=51, mimetics=50)
PRETRAININGS = ("swin-t_ucf101", "swin-b_ucf101", "swin-b_hmdb51")
ARCHS = dict(t="tiny", b="base")


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def schedule(config):
    """Optimiser, batch and schedule, as they are and without their words."""
    warmup, cosine = config.param_scheduler
    assert warmup.type == "LinearLRByUpdate" and cosine.type == "CosineAnnealingLRByUpdate"
    assert (warmup.begin, cosine.begin) == (0, warmup.end) and cosine.get("end") is None
    assert all(part.by_epoch and part.convert_to_iter_based for part in (warmup, cosine))
    assert config.optim_wrapper.get("accumulative_counts", 1) == 1
    optimizer = config.optim_wrapper.optimizer
    batch = config.train_dataloader.batch_size * GPUS
    assert batch == config.auto_scale_lr.base_batch_size
    return {
        "epochs": config.train_cfg.max_epochs,
        "batch size": batch,
        "optimizer": optimizer.type,
        "learning rate": optimizer.lr,
        "betas": tuple(optimizer.betas),
        "weight decay": optimizer.weight_decay,
        "warmup epochs": warmup.end,
        "start of warm-up": warmup.start_factor,
        "end of cosine": cosine.eta_min_ratio,
    }


def clips(config):
    """What a training clip is, from the pipeline."""
    loader = config.train_dataloader
    (crop,) = [name for name in steps(loader) if "Crop" in name]
    return {
        "resolution": tuple(steps(loader)["Resize"]["scale"]),
        "frames": sampled(frame_sampler(loader), 400).shape[1],
        "sampling": sampling(loader),
        "crop": crop,
        "flip": "Flip" in steps(loader),
    }


def small(config):
    """The recipe's model, built narrow and without files, for its names and rates."""
    model = copy.deepcopy(config.model)
    model.backbone.update(
        arch=dict(embed_dims=12, depths=(1, 1, 1, 1), num_heads=(1, 2, 2, 2)),
        img_size=32,
        window_size=(2, 2, 2),
        init_cfg=None,
    )
    if "branches" in model:
        target = model.branches.token.head.target
        target.update(checkpoint=None, random=True)
        target.tokenizer.update(num_codes=16, code_dim=8, channels=8, layers=1)
    else:
        model.cls_head.in_channels = 96
    return MODELS.build(model)


def rates(config):
    """Name of each weight -> (learning rate, decay), as the optimiser gets them."""
    model = small(config)
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
    groups = {
        id(weight): (group["lr"], group["weight_decay"])
        for group in wrapper.optimizer.param_groups
        for weight in group["params"]
    }
    assert type(wrapper.optimizer) is torch.optim.Adam, "the decay is added to the gradient"
    return {
        name: groups.pop(id(weight))
        for name, weight in model.named_parameters()
    }  # fmt: skip


@pytest.mark.parametrize("name", PRETRAININGS)
def test_pretraining_is_section_4_1(name):
    config = load(f"demvm/{name}")
    masker = MODELS.build(config.model.masker)
    hook = HOOKS.build(config.default_hooks.masking_ratio)
    assert (type(masker).__name__, hook.by) == ("FlowGuidedDenseMasker", "epoch")
    target = config.model.branches.token.head.target
    tokenizer = MODELS.get(target.tokenizer.type)
    built = MODELS.build(dict(target.tokenizer, channels=8, layers=1))
    found = {
        "P_den": masker.dense,
        "P_spr": masker.sparse,
        "rule of Eq. 8 to 11": masker.ratios,
        "P_spa": hook.ratios["spatial_ratio"],
        "P_tmp": hook.ratios["temporal_ratio"],
        "Ep": hook.period,
        "power of progress": hook.power,
        "codes": built.num_codes,
        "stride of the tokenizer": tuple(built.downsample),
        "downsampling before it": target.get("scale", 2),
        "stages that the decoder reads": tuple(config.model.backbone.out_indices),
        "decoder": config.model.branches.token.neck.type,
    }
    assert tokenizer.__name__ == "VQVAE3D"
    row = found | schedule(config) | clips(config)
    assert row == approximately(SECTION_4_1 | SILENT)
    assert config.model.backbone.arch == ARCHS[name[5]]
    assert config.model.backbone.init_cfg.type == "InflatedSwin"
    size = {"tiny": "swin_tiny", "base": "swin_base"}[config.model.backbone.arch]
    assert f"{size}_patch4_window7_224" in config.model.backbone.init_cfg.checkpoint
    assert colours(config)["colour mean"] == (123.675, 116.28, 103.53)
    assert list(config.model.branches) == ["token"]


@pytest.mark.parametrize("name", [*PRETRAININGS, "swin-t_shaders1k"])
def test_the_encoder_learns_at_5e_3_of_the_rate(name):
    """Sec. 3.4. The mask token is no image model's."""
    found = rates(load(f"demvm/{name}"))
    for weight, (rate, decay) in found.items():
        slow = weight.startswith("backbone.") and weight != "backbone.mask_token"
        assert rate == pytest.approx(5e-5 * (5e-3 if slow else 1)), weight
        assert decay == 1e-5, weight
    assert "backbone.mask_token" in found and any(not k.startswith("backbone.") for k in found)


def test_the_paper_s_ten_epochs_are_the_beginning_of_its_schedule():
    hook = HOOKS.build(load("demvm/swin-t_ucf101").default_hooks.masking_ratio)
    by_hand = {0: (0.3, 0.3), 1: (0.35, 0.36), 4: (0.4, 0.42), 9: (0.45, 0.48), 100: (0.8, 0.9)}
    for epoch, (spatial, temporal) in by_hand.items():
        assert hook.ratios_at(epoch) == approximately(
            dict(spatial_ratio=spatial, temporal_ratio=temporal)
        )


def test_the_mask_s_grid_is_the_motion_map_s():
    config = load("demvm/swin-t_ucf101")
    step = steps(config.train_dataloader)["MotionMap"]
    assert set(step) == {"type"}, "the defaults are Swin's tokens of 2 x 8 x 8"
    assert small(config).backbone.token_shape == (2, 8, 8)
    pack = steps(config.train_dataloader)["PackActionInputs"]
    assert pack["algorithm_keys"] == ("motion_map",)
    names = list(steps(config.train_dataloader))
    assert names.index("MotionMap") == names.index("Resize") + 1, "behind what moves pixels"


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("name", CLASSES)
def test_finetuning_is_pretraining_s_configuration_for_30_epochs(name, arch):
    config = load(f"finetune/swin-{arch}_{name}")
    test = steps(config.test_dataloader)
    row = schedule(config) | clips(config) | {
        "head": config.model.cls_head.type,
        "views": (len(sampled(frame_sampler(config.test_dataloader), 1601)), 3),
    }  # fmt: skip
    assert "ThreeCrop" in test
    assert row == approximately(FINETUNING)
    assert config.model.backbone.arch == ARCHS[arch]
    assert config.model.cls_head.in_channels == dict(t=768, b=1024)[arch]
    assert config.model.cls_head.num_classes == CLASSES[name]
    assert config.model.data_preprocessor.blending is None
    assert config.train_dataloader.dataset.num_repeats == 1
    assert "masking_ratio" not in config.default_hooks
    assert set(rates(config).values()) == {(5e-5, 1e-5)}, "all layers alike"


@pytest.mark.parametrize("recipe", [
    *(f"finetune/swin-{arch}_{name}" for arch in ARCHS for name in CLASSES),
    "linear_probe/swin-t_mimetics_2-shot",
])  # fmt: skip
def test_all_three_loaders_read_the_same_data_set(recipe):
    config = load(recipe)
    name = recipe.split("_")[-1 if recipe.startswith("finetune") else -2]
    files = []
    for part in ("train", "val", "test"):
        dataset = config[f"{part}_dataloader"].dataset
        assert dataset.data_prefix == dict(video=f"data/{name}/videos")
        assert dataset.ann_file.startswith(f"data/{name}/{name}_")
        files.append(dataset.ann_file)
    assert "_train_" in files[0] and files[1] == files[2] == files[0].replace("_train_", "_val_")


def test_linear_probing_freezes_all_but_a_linear_layer():
    """Table 4: "linear probing" on two samples of each of 50 classes."""
    config = load("linear_probe/swin-t_mimetics_2-shot")
    model = small(config)
    moving = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert moving == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert config.model.cls_head.in_channels == 768 and config.model.cls_head.num_classes == 50
    assert "2-shot" in config.train_dataloader.dataset.ann_file
    assert 2 * 50 % config.train_dataloader.batch_size == 0, "no clip is left out of an epoch"
    assert config.custom_hooks[1].type == "FeatureStatisticsHook"


def test_clips_are_videomae_s_of_ucf101():
    """Where the paper is silent: its rival's."""
    ours = load("demvm/swin-t_ucf101").train_dataloader.to_dict()
    theirs = load("videomae/vit-b_ucf101").train_dataloader.to_dict()
    assert (ours.pop("batch_size"), theirs.pop("batch_size")) == (6, 24)
    pipeline = ours["dataset"]["pipeline"]
    pipeline["motion"] = None
    del pipeline["pack"]["algorithm_keys"]
    assert ours == theirs


@pytest.mark.parametrize("path", sorted(ROOT.glob("demvm/swin-*.py")), ids=lambda path: path.stem)
def test_the_tokenizer_is_the_last_one_of_a_recipe_and_of_its_settings(path):
    target = load(f"demvm/{path.stem}").model.branches.token.head.target
    if target.get("random"):
        return
    folder, recipe, file = target.checkpoint.removeprefix("work_dirs/").split("/")
    tokenizer = load(f"{folder}/{recipe}")
    assert file == f"epoch_{tokenizer.train_cfg.max_epochs}.pth"
    trained = tokenizer.model.to_dict()
    assert trained.pop("scale") == target.get("scale", 2)
    del trained["data_preprocessor"]
    assert target.tokenizer == trained
