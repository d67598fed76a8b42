"""Each row of the paper's ablations: the recipe differs from the entry in the row's keys only."""

from itertools import combinations
from pathlib import Path

import pytest
from reference.recipe_differences import differences, load

ROOT = Path(__file__).parent.parent / "configs"
ENTRY = "pmg/vit-b_shaders1k"
SOURCE = {
    "train_dataloader.dataset.images",
    "train_dataloader.dataset.num_images",
    "train_dataloader.dataset.subset",
}
OPS = "train_dataloader.dataset.pipeline.motion.ops"
MIXING = "model.data_preprocessor.blending"
FLIP = "train_dataloader.dataset.pipeline.flip"
TABLE_2 = {
    "identity": "Identity", "sliding-window": "SlidingWindow", "zoom": "ZoomInOut",
    "fade": "FadeInOut", "affine": "Affine", "perspective": "Perspective",
    "color-jitter": "ColorJitter", "cutmix": "CutMix",
}  # fmt: skip
TABLE_3 = ["zoom", "affine", "perspective", "cutmix"]


def kinds(ops):
    return sorted(op["type"] for op in ops.values())


@pytest.mark.parametrize("op", TABLE_2)
@pytest.mark.parametrize("source", ["ucf101", "hmdb51"])
def test_table_2_one_op_alone_on_frames_and_unmixed(source, op):
    changed = differences(f"pmg/vit-b_{source}-frames_{op}", ENTRY)
    assert set(changed) == {*SOURCE, MIXING, OPS}
    assert list(changed[OPS].values()) == [dict(type=TABLE_2[op])], "the supplement's ranges"
    assert changed[MIXING] is None


@pytest.mark.parametrize(
    "ops", [c for size in (2, 3, 4) for c in combinations(TABLE_3, size)], ids="-".join
)
def test_table_3_every_combination_on_hmdb51_frames_and_unmixed(ops):
    """The ticks of the table cannot be read from the text; these are all it can mean."""
    changed = differences(f"pmg/vit-b_hmdb51-frames_{'-'.join(ops)}", ENTRY)
    assert changed[MIXING] is None
    own = changed.pop(OPS, load(ENTRY)["train_dataloader"]["dataset"]["pipeline"]["motion"]["ops"])
    assert kinds(own) == sorted(TABLE_2[op] for op in ops)
    assert set(changed) == {*SOURCE, MIXING}


@pytest.mark.parametrize("source", ["ucf101", "hmdb51"])
def test_table_4_mixes_by_mixup_videomix_or_not_at_all(source):
    frames = f"pmg/vit-b_{source}-frames"
    assert set(differences(frames, ENTRY)) == SOURCE
    assert load(frames)["model"]["data_preprocessor"]["blending"] == dict(
        type="ClipMixup", alpha=0.8
    )
    assert differences(f"{frames}_zoom-affine", frames) == {MIXING: None}
    assert differences(f"{frames}_videomix", frames) == {
        MIXING: dict(type="ClipVideoMix", alpha=0.8)
    }


def test_table_8_adds_pmg_aug_to_real_videos_and_nothing_else():
    for source in ("ucf101", "hmdb51"):
        changed = differences(f"pmg/vit-b_{source}-videos_aug", f"videomae/vit-b_{source}")
        motion = changed.pop("train_dataloader.dataset.pipeline.motion")
        motion.pop("deferred", None)  # where it is rendered, not what
        assert motion == dict(type="PMGAug", prob=1 / 3)
        assert changed == {}


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("diving48", {}),
        ("ikeafa", {}),
        ("uav-human", {}),
        ("ssv2-mini", {FLIP: None}),
        ("kinetics400", {"train_cfg.max_epochs": 800}),
    ],
)
def test_tables_11_and_12_take_frames_of_other_data_sets(source, more):
    changed = differences(f"pmg/vit-b_{source}-frames", ENTRY)
    assert {key: changed[key] for key in set(changed) - SOURCE} == more
    place = source.replace("-", "_")
    images = changed["train_dataloader.dataset.images"]
    assert images["type"] == "VideoFrames"
    assert images["ann_file"] == f"data/{place}/{place}_train_videos.txt"
    assert images["root"] == f"data/{place}/videos"
    assert changed["train_dataloader.dataset.num_images"] is None, "one frame of every video"


@pytest.mark.parametrize("size", ["large", "medium", "small"])
@pytest.mark.parametrize("source", ["ucf101", "hmdb51"])
def test_table_13_changes_the_list_of_videos_only(source, size):
    recipe = f"videomae/vit-b_{source}_frame-difference-{size}"
    assert differences(recipe, f"videomae/vit-b_{source}") == {
        "train_dataloader.dataset.ann_file": f"data/{source}/frame_difference/{size}.txt"
    }


@pytest.mark.parametrize("shots", [1, 5, 10, 25, 50])
@pytest.mark.parametrize("source", ["ucf101", "hmdb51"])
def test_fig_4_trains_on_few_videos_and_tests_on_all(source, shots):
    recipe = f"finetune/vit-b_{source}"
    assert differences(f"{recipe}_{shots}-shot", recipe) == {
        "train_dataloader.dataset.ann_file": f"data/{source}/few_shot/{shots}-shot_seed0.txt",
        "train_dataloader.drop_last": False,
    }


@pytest.mark.parametrize(
    "recipe", sorted(f"{p.parent.name}/{p.stem}" for p in ROOT.glob("*/*_1gpu.py"))
)
def test_one_gpu_changes_how_a_step_is_cut_and_nothing_else(recipe):
    assert differences(recipe, recipe.removesuffix("_1gpu")) == {
        "optim_wrapper.accumulative_counts": 8
    }
