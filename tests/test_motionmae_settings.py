"""MotionMAE, Table 6 and Sec. 4, typed in from the paper, against every recipe that they set."""

import pytest
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from reference.recipe_rows import (
    approximately,
    built,
    finetuning_row,
    frame_sampler,
    load,
    pretraining_row,
    sampled,
    sampling,
    steps_of,
)

GPUS = dict(ssv2=32, kinetics400=32, ucf101=8)  # Appendix A
CLASSES = dict(ssv2=174, kinetics400=400, ucf101=101)
COLUMNS = ("ssv2", "kinetics400", "ucf101")
ARCHS = ("b", "l")


def by_arch(base, large):
    """Numbers of ViT-B and ViT-L. The table has no ViT-L on UCF101: ViT-B's."""
    return dict(b=base, l=large)


TABLE_6A = {
    "base learning rate": (1.5e-4, 1.5e-4, 1.5e-4),
    "weight decay": (0.05, 0.05, 0.05),
    "beta 1": (0.9, 0.9, 0.9),
    "beta 2": (0.95, 0.95, 0.95),
    "warmup epochs": (40, 40, 40),
    "epochs": (2400, 1600, 3200),
    "flip augmentation": (False, True, True),
    "batch size": (by_arch(1024, 512), by_arch(1024, 512), 128),
    "augmentation": ("MultiScaleCropInside", "MultiScaleCropInside", "MultiScaleCropInside"),
    "patch norm": (False, True, True),
    "mask ratio": (0.9, 0.9, 0.75),
    "masking type": ("SlotRandomMasker", "TubeMasker", "SlotRandomMasker"),
}
SECTION_4 = {
    "temporal stride": (2, 4, 4),
    "frames": (16, 16, 16),
    "decoder depth": (4, 4, 4),
    "decoder width": (by_arch(384, 512),) * 3,
}
TABLE_6B = {
    "base learning rate": (5e-4, by_arch(5e-4, 2e-3), 1e-3),
    "weight decay": (0.05, 0.05, 0.05),
    "beta 1": (0.9, 0.9, 0.9),
    "beta 2": (0.999, 0.999, 0.999),  # illegible
    "layer-wise lr decay": (0.75, 0.75, 0.75),
    "warmup epochs": (5, 5, 5),  # no number in the text
    "repeated augmentation": (2, 2, 1),
    "epochs": (by_arch(30, 20), by_arch(75, 35), 100),  # SSv2: "30(B)20(B)"
    "flip augmentation": (False, True, True),
    "batch size": (by_arch(512, 256), by_arch(384, 64), 256),
    "RandAug": ((9, 0.5),) * 3,
    "label smoothing": (0.1, 0.1, 0.1),
    "mixup": (0.8, 0.8, 0.8),
    "cutmix": (1.0, 1.0, 1.0),
    "drop path": (by_arch(0.1, 0.2),) * 3,
    # Sec. 4
    "views": ((2, 3), (5, 3), (10, 3)),
    # Where the paper is silent: VideoMAE's, and no dropout, which the table would have named.
    "dropout": (0.0, 0.0, 0.0),
    "sampling": ("uniform", "dense", "dense"),
    "step of dense sampling": (None, 4, 4),
    "random erasing": (0.25, 0.25, 0.25),
    "operations of RandAug": (4, 4, 4),
    "switch to cutmix": (0.5, 0.5, 0.5),
    "std of the classifier": (2e-5, 2e-5, 2e-5),
}


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def column(table, name, arch):
    """The column's numbers; the linear rule makes its learning rate of the base rate."""
    row = {}
    for key, values in table.items():
        value = values[COLUMNS.index(name)]
        row[key] = value[arch] if isinstance(value, dict) else value
    row["learning rate"] = row.pop("base learning rate") * row["batch size"] / 256
    return row


def settings(config, gpus):
    steps = steps_of(config.train_dataloader)
    branches = config.model.branches
    assert set(branches) == {"pixel", "motion"}
    necks = {(branch.neck.embed_dims, branch.neck.depth) for branch in branches.values()}
    heads = [MODELS.get(branch.head.type) for branch in branches.values()]
    norms = {
        MODELS.build(dict(branch.head.target, token_shape=(2, 16, 16))).normalize
        for branch in branches.values()
    }
    assert len(necks) == len(norms) == len(set(heads)) == 1, "both branches alike"
    assert {branch.head.loss for branch in branches.values()} == {"mse"}
    assert {branch.head.get("loss_weight", 1.0) for branch in branches.values()} == {1.0}
    target = MODELS.build(dict(branches.motion.head.target, token_shape=(2, 16, 16)))
    assert type(target).__name__ == "TemporalDifferenceTarget" and target.granularity == 1
    ((width, depth),) = necks
    (crop,) = [name for name in steps if "Crop" in name]
    kind, stride = sampling(config.train_dataloader)
    assert kind == "dense"
    return pretraining_row(config, gpus) | {
        "augmentation": crop,
        "patch norm": norms.pop(),
        "masking type": config.model.masker.type,
        "temporal stride": stride,
        "frames": sampled(frame_sampler(config.train_dataloader), 400).shape[1],
        "decoder depth": depth,
        "decoder width": width,
    }


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("name", COLUMNS)
def test_pretraining_is_table_6a(name, arch):
    expected = column(TABLE_6A | SECTION_4, name, arch)
    config = load(f"motionmae/vit-{arch}_{name}")
    assert settings(config, GPUS[name]) == approximately(expected)
    assert config.model.backbone.arch == dict(b="base", l="large")[arch]
    for branch in config.model.branches.values():
        assert branch.neck.embed_dims == 64 * branch.neck.num_heads


@pytest.mark.parametrize("name", COLUMNS)
def test_one_branch_reads_its_own_decoder_at_its_own_positions(name):
    """Sec. 3: "for each decoder head, specific positional embeddings are applied"."""
    config = load(f"motionmae/vit-b_{name}")
    config.model.backbone.update(img_size=32, embed_dims=24, depth=1, num_heads=2)
    model = MODELS.build(config.model)
    assert set(model.necks) == {"pixel", "motion"}
    own = {id(parameter) for parameter in model.necks["pixel"].parameters()}
    assert own.isdisjoint(id(parameter) for parameter in model.necks["motion"].parameters())
    pixel, motion = (model.necks[branch].positions for branch in ("pixel", "motion"))
    assert pixel.data_ptr() != motion.data_ptr()


@pytest.mark.parametrize("name", COLUMNS)
def test_the_rate_begins_and_ends_as_videomae_s_by_the_linear_rule(name):
    """1e-6 and 1e-5 for a batch of 256, as its script scales them; MotionMAE is silent."""
    config = load(f"motionmae/vit-b_{name}")
    warmup, cosine = config.param_scheduler
    rate, scale = config.optim_wrapper.optimizer.lr, config.auto_scale_lr.base_batch_size / 256
    assert rate * warmup.start_factor == pytest.approx(1e-6 * scale)
    assert rate * cosine.eta_min_ratio == pytest.approx(1e-5 * scale)


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("name", COLUMNS)
def test_finetuning_is_table_6b(name, arch):
    expected = column(TABLE_6B, name, arch)
    config = load(f"finetune/vit-{arch}_{name}_motionmae")
    assert finetuning_row(config, GPUS[name]) == approximately(expected)
    assert config.model.backbone.arch == dict(b="base", l="large")[arch]
    assert config.model.cls_head.in_channels == dict(b=768, l=1024)[arch]
    for part in (config.model.cls_head, config.model.data_preprocessor.blending):
        assert part.num_classes == CLASSES[name]
    for part in ("train", "val", "test"):
        dataset = config[f"{part}_dataloader"].dataset
        assert dataset.data_prefix == dict(video=f"data/{name}/videos")
        assert f"data/{name}/{name}_{'train' if part == 'train' else 'val'}_" in dataset.ann_file


def test_on_one_gpu_the_steps_are_those_of_eight():
    for recipe in ("motionmae/vit-b_ucf101_1gpu", "finetune/vit-b_ucf101_motionmae_1gpu"):
        row = pretraining_row if recipe.startswith("motionmae") else finetuning_row
        assert row(load(recipe), 1) == row(load(recipe.removesuffix("_1gpu")), 8)


def test_32_frames_change_the_clip_and_nothing_else():
    short, long = (load(f"finetune/vit-l_ssv2_motionmae{suffix}") for suffix in ("", "_32-frames"))
    for part in ("train", "val", "test"):
        loader = long[f"{part}_dataloader"]
        assert sampled(frame_sampler(loader), 1601).shape == (2 if part == "test" else 1, 32)
        loader.dataset.pipeline.frames.clip_len = 16
    assert built(long.model).backbone.num_tokens == 2 * built(short.model).backbone.num_tokens
    sampler = dict(frame_sampler(long.test_dataloader), clip_len=32)
    for length in (33, 45, 48):  # as the recipe's story says
        first, second = sampled(sampler, length)
        assert (first == second).all(), length
    first, second = sampled(sampler, 50)
    assert (first != second).any()
    del long.model.backbone["num_frames"], short.model.backbone["num_frames"]
    assert long.to_dict() == short.to_dict()
