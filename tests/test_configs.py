"""Every recipe loads, builds small, takes a step and keeps the invariants."""

import copy
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS, TRANSFORMS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import Dataset

import mmpmg  # noqa: F401
from mmpmg.datasets.named_pipeline import in_order

ROOT = Path(__file__).parent.parent / "configs"
RECIPES = sorted(path for path in ROOT.glob("*/*.py") if path.parent.name != "_base_")
RECOGNITION = [path for path in RECIPES if path.parent.name in ("finetune", "linear_probe")]
EVALUATION = [path for path in RECIPES if path.parent.name == "vos"]  # see test_vos_recipes.py
TOKENIZERS = [path for path in RECIPES if path.parent.name == "tokenizer"]
PRETRAIN = [path for path in RECIPES if path not in RECOGNITION + EVALUATION + TOKENIZERS]
ENTRY = ROOT / "pmg/vit-b_shaders1k.py"
STEPPED = set()  # what steps that were taken follow from: recipes may differ in their data alone


def identity(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


@cache
def as_written(path):
    return Config.fromfile(str(path), import_custom_modules=False)


def load(path):
    return copy.deepcopy(as_written(path))


def step_of(config, *batch):
    """What a step of a shrunk recipe follows from, in words."""
    return json.dumps([config.model, config.optim_wrapper, *batch], default=str)


def shrink(config):
    """The same recipe at a size that a test can step: a narrow encoder on 16 x 32 x 32."""
    patch = 8
    config.optim_wrapper.accumulative_counts = 1  # one batch is a step
    if "Swin" in config.model.backbone.type:
        return shrink_swin(config)
    narrower = patch / config.model.backbone.get("patch_size", 16)
    config.model.backbone.update(img_size=32, patch_size=patch, embed_dims=24, depth=2, num_heads=2)
    if isinstance(config.model.backbone.get("init_cfg"), dict):
        config.model.backbone.init_cfg = None  # from no image model
    if "branches" in config.model:
        for branch in filter(None, config.model.branches.values()):
            if not isinstance(branch.neck, str):  # a shared decoder is another branch's
                branch.neck.update(embed_dims=16, depth=1, num_heads=2)
            if branch.head.target.type == "FlowTarget" and "loss_weight" in branch.head:
                # Flow counts in sides of a token, and its weight goes with them.
                branch.head.loss_weight *= narrower**2
    else:
        config.model.cls_head.in_channels = 24
    return config


def shrink_swin(config):
    """Four narrow stages from no image model; codes of a tokenizer that was never trained."""
    config.model.backbone.update(
        arch=dict(embed_dims=12, depths=(1, 1, 1, 1), num_heads=(1, 2, 2, 2)),
        img_size=32,
        window_size=(2, 2, 2),
        init_cfg=None,
    )
    if "branches" in config.model:
        target = config.model.branches.token.head.target
        target.update(checkpoint=None, random=True)
        target.tokenizer.update(num_codes=16, code_dim=8, channels=8, layers=1)
    else:
        config.model.cls_head.in_channels = 96
    return config


def batch(labels=None, size=32, flow=False, frames=16, motion=False):
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, (4, 1, 3, frames, size, size), generator=generator).byte()
    samples = []
    for number in range(4):
        sample = ActionDataSample()
        sample.set_metainfo(dict(sample_seed=number, filename=f"clip {number}"))
        if labels is not None:
            sample.set_gt_label(labels[number])
        if flow:
            field = 5 * torch.randn(frames - 1, size, size, 2, generator=generator)
            sample.set_field(field, "flow")
            sample.set_field(field[..., 0] > 0, "covisible")
        if motion:  # of about half of the cells
            speed = torch.rand(frames // 2, size // 8, size // 8, generator=generator)
            sample.set_field(speed, "motion_map")
        samples.append(sample)
    return dict(inputs=list(clips), data_samples=samples)


@pytest.mark.parametrize("path", RECIPES, ids=identity)
def test_recipe_is_four_bases_or_a_short_delta(path):
    source = path.read_text()
    config = {}
    exec(compile(source, str(path), "exec"), config)
    assert config["__doc__"], "a recipe tells its own story"
    assert "tools/" in config["__doc__"]
    body = source[source.index("_base_") :]
    if isinstance(config["_base_"], str):
        assert (path.parent / config["_base_"]).resolve() in RECIPES
    else:
        kinds = [Path(base).parent.name for base in config["_base_"]]
        assert kinds == ["models", "datasets", "schedules", "_base_"]
    lines = [
        line for line in body.splitlines()[1:] if line.strip() and line.strip()[0] not in "])}"
    ]
    own = len(lines) - (4 if not isinstance(config["_base_"], str) else 0)
    assert own <= 12
    assert "import " not in body
    names = {k for k in config if not k.startswith("__")} - {"_base_"}
    known = (
        set(as_written(ENTRY))
        | set(as_written(RECOGNITION[0]))
        | {"train_dataloader", "val_dataloader"}
    )
    known |= {"runner_type", "strategy"}  # what MMEngine's FlexibleRunner reads besides
    assert names <= known, "an intermediate variable, or a key that no runner reads"


@pytest.mark.parametrize("path", RECIPES, ids=identity)
def test_a_recipe_inherits_over_at_most_three_steps(path):
    def steps(recipe):
        config = {}
        exec(compile(recipe.read_text(), str(recipe), "exec"), config)
        bases = config.get("_base_", [])
        bases = [bases] if isinstance(bases, str) else bases
        return max((1 + steps((recipe.parent / base).resolve()) for base in bases), default=0)

    assert steps(path) <= 3


@pytest.mark.parametrize("path", PRETRAIN, ids=identity)
def test_pretraining_recipe_takes_a_step(path):
    config = shrink(load(path))
    with_flow = config.model.data_preprocessor.get("with_flow", False)
    steps = in_order(config.train_dataloader.dataset.get("pipeline", {}))
    motion = any(step["type"] == "MotionMap" for step in steps)
    step = step_of(config, with_flow, motion)
    if step in STEPPED:
        return
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    before = copy.deepcopy(model.state_dict())
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
    log = model.train_step(batch(flow=with_flow, motion=motion), wrapper)
    assert math.isfinite(log["loss"])
    targets = [branch.head.target for branch in filter(None, config.model.branches.values())]
    if any(target.type == "CodebookTarget" for target in targets):
        # About uniform over the 16 codes: logits of .02 x sqrt(10 x 12) at first.
        assert log["loss"].item() == pytest.approx(math.log(16), abs=0.5)
    normalised = all(target.get("normalize", True) for target in targets)
    # Of noise in [0, 1] pixels have a variance of 1/12, absolute differences one of 1/18.
    assert (0.3 if normalised else 1 / 18) < log["loss"] < 10, "normalised pixels have variance 1"
    changed = [key for key, value in model.state_dict().items() if not value.equal(before[key])]
    assert set(changed) == {name for name, _ in model.named_parameters()}
    STEPPED.add(step)


@pytest.mark.parametrize("path", TOKENIZERS, ids=identity)
def test_tokenizer_recipe_takes_a_step(path):
    config = load(path)
    config.model.update(num_codes=16, code_dim=8, channels=8, layers=1)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    before = copy.deepcopy(model.state_dict())
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
    log = model.train_step(batch(), wrapper)
    # Noise has a variance of 1/12, a quarter of it in means over four pixels.
    assert 1 / 48 / 0.06 < log["loss_reconstruction"] < 10
    assert log["loss"].item() == pytest.approx(
        log["loss_reconstruction"].item() + log["loss_commitment"].item()
    )
    assert 1 / 16 <= log["codebook_usage"] <= 1 <= log["codebook_perplexity"] <= 16
    weights = {name for name, value in model.named_parameters() if value.ndim > 1}
    changed = {key for key, value in model.state_dict().items() if not value.equal(before[key])}
    assert weights | {"codebook.embeddings", "codebook.N"} <= changed


@pytest.mark.parametrize("path", RECOGNITION, ids=identity)
def test_recognition_recipe_takes_a_step_and_predicts(path):
    config = shrink(load(path))
    step = step_of(config)
    if step in STEPPED:
        return
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
    classes = config.model.cls_head.num_classes
    clips = batch(labels=[0, 1, 2, 3], frames=config.model.backbone.num_frames)
    log = model.train_step(clips, wrapper)
    # An untrained classifier with tiny weights is uniform, smoothed labels or mixed ones alike.
    assert log["loss_cls"].item() == pytest.approx(math.log(classes), rel=0.02)
    predictions = model.val_step(clips)
    for sample in predictions:
        assert sample.pred_score.shape == (classes,)
        assert sample.pred_score.sum().item() == pytest.approx(1, abs=1e-4)
    STEPPED.add(step)


@pytest.mark.parametrize("path", RECIPES, ids=identity)
def test_every_transform_and_dataset_of_a_recipe_builds(path):
    """Built from the recipe as it stands; only the images and videos themselves are left out."""
    config = load(path)
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        if config.get(name) is None:
            continue
        dataset = config[name].dataset
        assert DATASETS.get(dataset.type) is not None
        for part in dataset.get("parts", dict(whole=dataset)).values():
            steps = in_order(part.pipeline)
            kinds = [TRANSFORMS.build(step).__class__.__name__ for step in steps]
            assert kinds[-1] == "PackActionInputs"
            assert DATASETS.get(part.type) is not None
            if path in PRETRAIN + TOKENIZERS:
                assert "sample_seed" in steps[-1]["meta_keys"], "masks would not be repeatable"
        if path in PRETRAIN + TOKENIZERS:
            assert config[name].sampler.type == "SampleSeedSampler"


def test_entry_recipe_is_the_paper_s_table_1():
    """PMG, supplement, Table 1 and Sec. B to D; one line per number."""
    config = load(ENTRY)
    optimizer = config.optim_wrapper.optimizer
    assert optimizer.type == "FusedAdamW"
    assert optimizer.lr == 1e-3
    assert optimizer.weight_decay == 0.05
    assert tuple(optimizer.betas) == (0.9, 0.95)
    assert config.model.masker == dict(type="TubeMasker", mask_ratio=0.75)
    assert config.auto_scale_lr.base_batch_size == 256
    assert config.train_dataloader.batch_size * 8 == 256  # 8 GPUs, Sec. B
    warmup, cosine = config.param_scheduler
    assert (warmup.type, warmup.begin, warmup.end) == ("LinearLRByUpdate", 0, 40)
    assert (cosine.type, cosine.begin) == ("CosineAnnealingLRByUpdate", 40)
    assert config.train_cfg.max_epochs == 2000
    pipeline = config.train_dataloader.dataset.pipeline
    assert pipeline.flip == dict(type="Flip", flip_ratio=0.5)
    assert pipeline.motion.num_frames == 16
    assert pipeline.resize.scale == (224, 224)
    assert {op.type for op in pipeline.motion.ops.values()} == {"ZoomInOut", "Affine"}
    assert config.model.data_preprocessor.blending == dict(type="ClipMixup", alpha=0.8)
    assert config.train_dataloader.dataset.num_images == 100_000
    crop = TRANSFORMS.build(pipeline.crop)
    assert crop.scales == (1, 0.875, 0.75, 0.66)
    assert (crop.input_size, crop.num_fixed_crops, crop.max_wh_scale_gap) == ((224, 224), 13, 1)
    backbone = MODELS.build(config.model.backbone)
    assert (backbone.embed_dims, len(backbone.blocks)) == (768, 12)
    assert backbone.num_tokens == 1568
    neck = config.model.branches.pixel.neck
    assert (neck.embed_dims, neck.depth, neck.num_heads) == (384, 4, 6)
    assert config.optim_wrapper.get("clip_grad") is None


def test_pmg_aug_recipe_adds_pmg_aug_and_nothing_else():
    plain = load(ROOT / "videomae/vit-b_ucf101.py").to_dict()
    mixed = load(ROOT / "pmg/vit-b_ucf101-videos_aug.py").to_dict()
    pipeline = mixed["train_dataloader"]["dataset"]["pipeline"]
    assert pipeline["motion"] == dict(type="PMGAug", prob=1 / 3, deferred="auto")
    pipeline["motion"] = None
    assert mixed == plain
    assert list(pipeline)[-3:] == ["motion", "layout", "pack"], "behind the crop, before packing"


class Batches(Dataset):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        one = batch()
        return dict(inputs=one["inputs"][0], data_samples=one["data_samples"][0])


def test_learning_rate_follows_the_formula(tmp_path):
    """Linear from 1e-6 over 40 epochs, then half a cosine to 1e-5, at every iteration."""
    config = shrink(load(ENTRY))
    config.train_cfg.max_epochs = 50
    config.param_scheduler[0].end = config.param_scheduler[1].begin = 10
    rates = []
    runner = Runner(
        model=config.model,
        work_dir=str(tmp_path),
        train_dataloader=dict(
            batch_size=2, num_workers=0, dataset=Batches(4),
            sampler=dict(type="DefaultSampler", shuffle=False),
        ),
        train_cfg=config.train_cfg,
        optim_wrapper=config.optim_wrapper,
        param_scheduler=config.param_scheduler,
        default_hooks=dict(checkpoint=None),
        default_scope="mmaction",
        experiment_name="lr",
    )  # fmt: skip

    def record(data_batch, optim_wrapper):
        rates.append(optim_wrapper.get_lr()["lr"][0])
        return {}

    runner.model.train_step = record
    runner.train()
    warm, total = 20, 100
    for i, rate in enumerate(rates):
        if i < warm:
            expected = 1e-6 + (1e-3 - 1e-6) * i / (warm - 1)
        else:
            phase = (i - warm) / (total - warm)
            expected = 1e-5 + (1e-3 - 1e-5) * (1 + math.cos(math.pi * phase)) / 2
        assert rate == pytest.approx(expected, rel=0.02), i
    assert len(rates) == total


def test_weight_decay_spares_biases_norms_and_the_mask_token():
    config = shrink(load(ENTRY))
    model = MODELS.build(config.model)
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
    decayed = {id(p) for g in wrapper.param_groups if g["weight_decay"] > 0 for p in g["params"]}
    for name, parameter in model.named_parameters():
        spared = parameter.ndim == 1 or name.endswith("mask_token")
        assert (id(parameter) in decayed) == (not spared), name
    assert {g["weight_decay"] for g in wrapper.param_groups} == {0.0, 0.05}


def test_entry_without_its_images_says_what_to_do():
    dataset = load(ENTRY).train_dataloader.dataset
    dataset.images.root = "no such folder"
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(dataset)
    for words in ("no such folder", "shaders21k", "vit-b_generated.py", "<10 digits>"):
        assert words in str(error.value)


@pytest.mark.parametrize("key", ["mask_rate", "drop_path"])
def test_a_mistyped_key_of_the_model_raises(key):
    config = shrink(load(ENTRY))
    part = config.model.masker if key == "mask_rate" else config.model.backbone
    part[key] = 0.5
    with pytest.raises(TypeError, match=key):
        MODELS.build(config.model)


def test_a_mistyped_step_of_the_pipeline_is_named_with_its_neighbours():
    dataset = load(ROOT / "pmg/vit-toy_generated.py").train_dataloader.dataset
    dataset.pipeline.motoin = dict(ops=dict(affine=None))
    with pytest.raises(ValueError, match=r"pipeline\.motoin has no type.*motion"):
        DATASETS.build(dataset)


def test_generated_images_make_a_training_batch_without_any_file():
    config = load(ROOT / "pmg/vit-toy_generated.py")
    dataset = DATASETS.build(config.train_dataloader.dataset)
    sample = dataset[3]
    clip = sample["inputs"]
    assert clip.shape == (1, 3, 16, 64, 64)
    assert clip.dtype == torch.uint8
    moving = np.abs(np.diff(clip[0].numpy().astype(int), axis=1)).mean()
    assert moving > 0.2


@pytest.mark.parametrize(
    "path",
    [path for path in PRETRAIN if "generated" in path.stem and path.stem.startswith("vit-b")],
    ids=identity,
)
def test_generated_images_are_as_many_of_each_category(path):
    """PMG, Sec. 4: sets with categories give the same number of images of each."""
    dataset = DATASETS.build(load(path).train_dataloader.dataset)
    wanted = {"10k": 10_000}.get(next(iter(path.stem.split("generated_")[1:]), "")[:3], 100_000)
    assert len(dataset) == wanted
    categories = [dataset.source.address(dataset._number(k))[0] for k in range(len(dataset))]
    counts = np.unique(categories, return_counts=True)[1]
    assert counts.max() - counts.min() <= 1
    named = path.stem.partition("generated_10k_")[2]
    assert len(counts) == (int(named.split("-")[0]) if named else 1000)
