"""The declared studies compare what they say: one thing differs, the rest is equal."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

import mmpmg  # noqa: F401
from mmpmg.datasets import SampleSeedSampler
from mmpmg.evaluation.paper_numbers import HMDB51, PAPER_NUMBERS, SCRATCH, UCF101
from mmpmg.evaluation.recipe_names import flat
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cells import FINETUNE, PRETRAIN, grid
from mmpmg.evaluation.study.declaration import NONE, OWN, read_study

ROOT = Path(__file__).parents[1]
STUDIES = sorted((ROOT / "studies").glob("*.yml"))
SIZES = ("cpu", "gpu")
PHOTOGRAPHS = 120  # in data/images_bsds500, see configs/_base_/datasets/pmg_photographs_64.py
OPS = "train_dataloader.dataset.pipeline.motion.ops."
BLENDING = "model.data_preprocessor.blending"

#: Word in an arm's name -> its op; a name without any means the base's, the paper's best pair.
WORDS = {
    "Zoom": "ZoomInOut", "layered": "Layered", "bent": "SmoothDisplacement",
    **{name: name for name in (
        "Identity", "SlidingWindow", "ZoomInOut", "FadeInOut", "Affine", "Perspective",
        "ColorJitter", "CutMix",
    )},
}  # fmt: skip
BEST = {"ZoomInOut", "Affine"}

#: What the arms of a study may change in pre-training: beginnings of keys.
ABOUT = {
    "motion-families": (OPS,),
    "pairs-and-mixing": (OPS,),
    "motion-triples": (OPS,),
    "image-sources": ("train_dataloader.dataset.images.",),
    "beyond": (OPS,),
    "amount-clips": (OPS,),
    "amount-images": ("train_dataloader.dataset.num_images",),
    "amount-shots": (),
}
#: The arms that are about something else than their study's others.
ABOUT_ARM = {
    "Zoom+Affine+mixup": (BLENDING,),
    "Zoom+Affine+VideoMix": (BLENDING,),
    "VPN": ("train_dataloader.dataset.",),
    "MotionMAE": ("model.branches.motion.",),
    "MotionMAE-exact-flow": ("model.branches.motion.", "model.data_preprocessor.with_flow"),
    "flow-guided-masking": (
        "model.masker.",
        "train_dataloader.dataset.pipeline.motion_map",
        "train_dataloader.dataset.pipeline.pack.algorithm_keys",
    ),
}

#: Arm -> the paper's recipe, of which UCF101 or HMDB51 follows where it names either.
THE_PAPERS = {
    "scratch": SCRATCH,
    "Identity": "pmg/vit-b_{}-frames_identity",
    "SlidingWindow": "pmg/vit-b_{}-frames_sliding-window",
    "ZoomInOut": "pmg/vit-b_{}-frames_zoom",
    "FadeInOut": "pmg/vit-b_{}-frames_fade",
    "Affine": "pmg/vit-b_{}-frames_affine",
    "Perspective": "pmg/vit-b_{}-frames_perspective",
    "ColorJitter": "pmg/vit-b_{}-frames_color-jitter",
    "CutMix": "pmg/vit-b_{}-frames_cutmix",
    "Zoom+Affine": "pmg/vit-b_{}-frames_zoom-affine",
    "Zoom+Affine+mixup": "pmg/vit-b_{}-frames",
    "Zoom+Affine+VideoMix": "pmg/vit-b_{}-frames_videomix",
    "Zoom+Affine+Perspective+CutMix": "pmg/vit-b_{}-frames_zoom-affine-perspective-cutmix",
    "photographs": "pmg/vit-b_pass",
    "shaders": "pmg/vit-b_shaders1k",
    "FractalDB": "pmg/vit-b_fractaldb",
    "VisualAtom": "pmg/vit-b_visual-atom",
    "VPN": "videomae/vit-b_perlin",
}


@pytest.fixture(autouse=True)
def mmaction_scope(monkeypatch):
    init_default_scope("mmaction")
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder with as many images as the photographs are, all but a few of them empty."""
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(PHOTOGRAPHS):
        path = folder / f"{number:03}.png"
        path.touch()
        if number < 5:
            rng = np.random.default_rng(number)
            coarse = rng.integers(0, 256, (8, 12, 3), dtype=np.uint8)
            cv2.imwrite(str(path), cv2.resize(coarse, (180, 120)))
    return str(folder)


@cache
def recipes_of(file, size):
    study = read_study(file)
    return study, Recipes(study, study.size(size))


def resolved(file, size, kind=PRETRAIN):
    """Arm -> its recipe, of the arms that have a pre-training (or a fine-tuning) of their own."""
    study, recipes = recipes_of(file, size)
    arms = [arm for arm in study.arms.values() if kind == FINETUNE or arm.pretrain == OWN]
    return {arm.name: Config(copy.deepcopy(dict(recipes.arm(arm, kind)))) for arm in arms}


def each(*wanted):
    found = [file for file in STUDIES if not wanted or file.stem in wanted]
    return pytest.mark.parametrize("file", found, ids=lambda file: file.stem)


# An id "gpu" would be taken for the mark.
both_sizes = pytest.mark.parametrize("size", SIZES, ids=["small", "large"])


def dataset_of(recipe, photographs, images=None):
    """The pre-training's samples, of so many images only."""
    dataset = recipe.train_dataloader.dataset
    if dataset.get("images", {}).get("type") == "FolderImages":
        dataset.images.root = photographs
        dataset.num_images = images or dataset.num_images
    elif images:
        generator = dataset.get("images", dataset)
        generator.num_categories = images
        generator["images_per_category" if "images" in dataset else "clips_per_category"] = 1
        dataset.num_images = None
    return DATASETS.build(dataset)


def test_every_study_says_what_its_arms_are_about():
    assert {file.stem for file in STUDIES} == set(ABOUT)
    for file in STUDIES:
        study = read_study(file)
        assert set(study.sizes) == set(SIZES)
        for size in study.sizes.values():
            assert size.seeds == (0, 1, 2)
            assert size.folds == (0, 1, 2, 3)


@both_sizes
@each()
def test_an_arm_has_the_ops_that_its_name_says(file, size):
    for name, recipe in resolved(file, size).items():
        if name == "VPN":  # its clips move by themselves
            assert recipe.train_dataloader.dataset.type == "PerlinClips"
            assert "motion" not in recipe.train_dataloader.dataset.pipeline
            continue
        ops = list(recipe.train_dataloader.dataset.pipeline.motion.ops.values())
        said = {WORDS[word] for word in re.split(r"[+-]", name) if word in WORDS}
        assert {op.type for op in ops} == (said or BEST), name
        assert len(ops) == len(said or BEST)
        shares = {op.type: op.pop("weight", 1) for op in ops}
        assert shares.get("Layered", 1) == (3 if name == "layered+bent" else 1)
        assert set(shares.values()) <= {1, 3}
        composed = [op for op in ops if op.pop("resampling", "recursive") == "composed"]
        assert len(composed) == (name == "Affine-composed")
        assert all(set(op) == {"type"} for op in ops), "with the paper's ranges"


@both_sizes
@each()
def test_arms_differ_in_what_they_are_about_and_in_nothing_else(file, size):
    study, _ = recipes_of(file, size)
    arms = {name: flat(recipe) for name, recipe in resolved(file, size).items()}
    reference = arms[study.reference if study.reference in arms else next(iter(arms))]
    for name, keys in arms.items():
        changed = {
            key for key in keys.keys() | reference.keys() if keys.get(key) != reference.get(key)
        }
        changed -= {"train_cfg.max_epochs"}  # a study sets it from the clips to be seen
        about = ABOUT_ARM.get(name, ABOUT[file.stem])
        beside = {key for key in changed if not key.startswith(about)}
        assert not beside, f"{name}: {beside}"
        assert changed or keys is reference or file.stem == "amount-shots", f"{name} is no arm"


@both_sizes
@each()
def test_arms_of_a_budget_take_equally_many_clips_and_updates(file, size, photographs):
    study, _ = recipes_of(file, size)
    for clips in study.size(size).clips:
        updates = {}
        for name, recipe in resolved(file, size).items():
            samples = len(dataset_of(recipe, photographs))
            batch, drop = recipe.train_dataloader.batch_size, recipe.train_dataloader.drop_last
            assert clips % samples == 0, f"{name}: {samples} clips an epoch"
            assert not (drop and samples % batch), f"{name}: a part of the images is never seen"
            updates[name] = clips // samples * -(-samples // batch)
        assert len(set(updates.values())) == 1, updates


@each("image-sources", "amount-images")
@both_sizes
def test_sources_have_equally_many_images(file, size, photographs):
    for name, recipe in resolved(file, size).items():
        wanted = int(name.removeprefix("images-")) if file.stem == "amount-images" else 96
        dataset = dataset_of(recipe, photographs)
        assert len(dataset) == wanted, name
        seen = {dataset.get_data_info(number)["filename"] for number in range(wanted)}
        assert len(seen) == wanted
    if file.stem == "amount-images":
        few, many = (
            dataset_of(resolved(file, size)[f"images-{n}"], photographs) for n in (96, 480)
        )
        names = [[data.get_data_info(number)["filename"] for number in range(96)]
                 for data in (few, many)]  # fmt: skip
        assert names[0] == names[1], "fewer images are the first of more"


@both_sizes
@each()
def test_fine_tuning_is_the_same_for_all_arms(file, size):
    arms = {name: flat(recipe) for name, recipe in resolved(file, size, FINETUNE).items()}
    first = next(iter(arms.values()))
    few = ("train_cfg.max_epochs", "train_dataloader.batch_size")
    for name, keys in arms.items():
        changed = {key for key in keys if keys[key] != first.get(key)}
        assert keys.keys() == first.keys()
        assert changed <= set(few if "-shot" in name else ()), name


@both_sizes
def test_a_few_shots_differ_from_scratch_in_the_start_alone(size):
    file = ROOT / "studies/amount-shots.yml"
    study, _ = recipes_of(file, size)
    recipes = resolved(file, size, FINETUNE)
    for shots in (1, 5, 10):
        ours, scratch = study.arms[f"PMG-{shots}-shot"], study.arms[f"scratch-{shots}-shot"]
        assert (ours.pretrain, scratch.pretrain) == ("PMG", NONE)
        assert ours.lists == scratch.lists
        assert f"/{shots}-shot_seed0.txt" in ours.lists.train
        assert flat(recipes[ours.name]) == flat(recipes[scratch.name])
        recipe = recipes[ours.name]
        steps = shots * 10 // recipe.train_dataloader.batch_size
        assert steps * recipe.train_cfg.max_epochs == 600


@both_sizes
@each()
def test_a_recipe_that_inherits_resolves_as_the_study_does(file, size, tmp_path):
    """What anybody would write down by hand, `_delete_` and all, and MMEngine would read."""
    study, recipes = recipes_of(file, size)
    read = {}
    for kind in (PRETRAIN, FINETUNE):
        arms = resolved(file, size, kind)
        for name, recipe in arms.items():
            arm = study.arms[name]
            base, change = ROOT / recipes.declared(arm, kind), recipes.change(arm, kind)
            lines = [f"{key} = {value!r}" for key, value in change.items()]
            text = "\n".join([f"_base_ = {str(base)!r}", *lines]) + "\n"
            if text not in read:  # arms are often fine-tuned alike
                written = tmp_path / "written.py"
                written.write_text(text)
                read[text] = Config.fromfile(written, import_custom_modules=False).to_dict()
            assert read[text] == recipe.to_dict(), name
            assert "_delete_" not in str(read[text])


@each("pairs-and-mixing")
@pytest.mark.parametrize(
    ("size", "mixed"),
    [("cpu", "pmg/vit-toy-p16_photographs"), ("gpu", "pmg/vit-s_generated_112px")],
    ids=["small", "large"],
)
def test_the_arm_with_mixup_is_the_recipe_with_mixup(file, size, mixed):
    expected = Config.fromfile(ROOT / f"configs/{mixed}.py", import_custom_modules=False)
    found = resolved(file, size)["Zoom+Affine+mixup"]
    assert found.to_dict() == expected.to_dict()
    assert resolved(file, size)["Zoom+Affine+VideoMix"].model.data_preprocessor.blending == dict(
        type="ClipVideoMix", alpha=0.8
    )


@both_sizes
@each("pairs-and-mixing", "image-sources", "beyond")
def test_every_kind_of_model_builds(file, size):
    for recipe in resolved(file, size).values():
        recipe.model.backbone.depth = 1
        MODELS.build(recipe.model)


def test_the_papers_numbers_are_the_papers():
    given = 0
    for file in STUDIES:
        for arm in read_study(file).arms.values():
            for column, number in arm.paper.items():
                fine = dict(UCF101=UCF101, HMDB51=HMDB51)[column]
                recipe = THE_PAPERS[arm.name].format(column.lower())
                assert PAPER_NUMBERS[fine, recipe].top1 == number, f"{file.stem}: {arm.name}"
                given += 1
    assert given == 39


def clips_seen(recipe, photographs, epoch):
    """Names and pixels of the first samples, in the order of an epoch."""
    recipe.train_dataloader.dataset.pipeline.motion.deferred = False
    dataset = dataset_of(recipe, photographs, images=5)
    sampler = SampleSeedSampler(dataset, seed=recipe.randomness.seed)
    sampler.set_epoch(epoch)
    samples = [dataset[number] for number in sampler]
    names = [sample["data_samples"].filename for sample in samples]
    return SimpleNamespace(
        names=names, clips=torch.stack([s["inputs"] for s in samples]), packed=samples
    )


@both_sizes
@pytest.mark.parametrize("epoch", [0, 7])
def test_beyond_compares_on_the_same_clips(size, epoch, photographs):
    arms = resolved(ROOT / "studies/beyond.yml", size)
    plain = clips_seen(arms["VideoMAE"], photographs, epoch)
    assert len(set(plain.names)) == 5
    for name in ("MotionMAE", "MotionMAE-exact-flow", "flow-guided-masking"):
        other = clips_seen(arms[name], photographs, epoch)
        assert other.names == plain.names
        assert other.clips.numpy().tobytes() == plain.clips.numpy().tobytes(), name
    for name in ("layered", "bent", "layered+bent", "Affine-recursive", "Affine-composed"):
        other = clips_seen(arms[name], photographs, epoch)
        assert other.names == plain.names, "the same images in the same order"
        assert not torch.equal(other.clips, plain.clips), f"{name} moves in another way"


def test_flow_guided_masking_hides_as_many_tokens(photographs):
    arms = resolved(ROOT / "studies/beyond.yml", "cpu")
    hidden = []
    for name in ("VideoMAE", "flow-guided-masking"):
        recipe = arms[name]
        recipe.model.backbone.depth = 1
        packed = pseudo_collate(clips_seen(recipe, photographs, 0).packed)
        model = MODELS.build(recipe.model)
        data = model.data_preprocessor(packed, training=True)
        clip = data["inputs"].flatten(0, 1)
        hidden.append(model.draw(clip, data["data_samples"]).mask)
    plain, guided = hidden
    assert plain.sum(1).unique().item() == guided.sum(1).unique().item()
    assert not torch.equal(plain, guided)


@both_sizes
def test_arms_that_studies_share_have_one_digest(size, monkeypatch):
    """So that they run once; what is no other arm's, runs."""
    monkeypatch.setattr(Recipes, "_count", lambda self, cell, recipe: 120)  # without the images
    cells = {}
    for file in STUDIES:
        study, recipes = recipes_of(file, size)
        budgets = study.size(size).clips
        for cell in grid(study, study.size(size), Path("out"), seeds=[0], folds=[0]):
            budget = f" {cell.clips}" if len(budgets) > 1 and cell.clips else ""
            cells.setdefault((cell.kind, recipes.digest(cell)), []).append(
                f"{file.stem}: {cell.arm}{budget}"
            )
    clips = {"cpu": 45000, "gpu": 240000}[size]
    scratch = [f"{name}: scratch" for name in (
        "amount-clips", "amount-shots", "image-sources", "motion-families"
    )]  # fmt: skip
    pretrained = [
        [f"amount-clips: Zoom+Affine {clips}", "amount-shots: PMG",
         "pairs-and-mixing: Zoom+Affine+mixup"],
        ["beyond: VideoMAE", "motion-triples: Zoom+Affine", "pairs-and-mixing: Zoom+Affine"],
        ["beyond: Affine-recursive", "motion-families: Affine"],
    ]  # fmt: skip
    for kind, expected in ((PRETRAIN, pretrained), (FINETUNE, [scratch, *pretrained])):
        shared = [arms for (k, _), arms in cells.items() if k == kind and len(arms) > 1]
        assert sorted(shared) == sorted(expected)


def test_the_example_of_the_page_is_a_study(tmp_path):
    page = (ROOT / "docs/studies/index.md").read_text()
    file = tmp_path / "my_study.yml"
    file.write_text(page.split("```yaml")[1].split("```")[0])
    slow = resolved(file, "cpu")["slow"].train_dataloader.dataset.pipeline.motion
    assert TRANSFORMS.build(slow).sampler.ops["zoom"].large == (0.75, 0.9)
    assert set(resolved(file, "cpu")) == {"paper", "slow", "flow"}
