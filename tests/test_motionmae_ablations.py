"""MotionMAE, Tables 5 and 7 to 10: a recipe differs from its arm in the keys of its row only."""

import pytest
from mmengine.config import Config
from reference.recipe_differences import ROOT, differences, load

SSV2, KINETICS, UCF101 = (
    "motionmae/vit-b_ssv2_400e",
    "motionmae/vit-b_kinetics400_400e",
    "motionmae/vit-b_ucf101",
)
PIXEL, MOTION = "model.branches.pixel", "model.branches.motion"
CROP = "train_dataloader.dataset.pipeline.crop"


def in_both(**changes):
    """The same changes in both branches; ``__`` parts the keys."""
    return {
        f"{branch}.{key.replace('__', '.')}": value
        for branch in (PIXEL, MOTION)
        for key, value in changes.items()
    }


ROWS = {
    "Table 5a": {
        f"{SSV2}_frame-only": {MOTION: None},
        f"{SSV2}_motion-only": {PIXEL: None},
    },
    "Table 5b": {
        f"{SSV2}_weights-1-2": {f"{MOTION}.head.loss_weight": 2.0},
        f"{SSV2}_weights-2-1": {f"{PIXEL}.head.loss_weight": 2.0},
    },
    "Table 5c": {
        f"{SSV2}_granularity-2": {f"{MOTION}.head.target.granularity": 2},
        f"{SSV2}_granularity-3": {f"{MOTION}.head.target.granularity": 3},
    },
    "Table 5d": {
        f"{SSV2}_width-128": in_both(neck__embed_dims=128, neck__num_heads=2),
        f"{SSV2}_width-512": in_both(neck__embed_dims=512, neck__num_heads=8),
    },
    "Table 5e": {
        f"{SSV2}_depth-1": in_both(neck__depth=1),
        f"{SSV2}_depth-8": in_both(neck__depth=8),
    },
    "Table 5f": {
        f"{SSV2}_l1": in_both(head__loss="l1"),
        f"{SSV2}_smooth-l1": in_both(head__loss="smooth_l1"),
    },
    "Table 7": {
        f"{UCF101}_frame-only": {MOTION: None},
        f"{UCF101}_optical-flow": {
            "model.data_preprocessor.with_flow": True,
            f"{MOTION}.head.target.type": "FlowTarget",
            f"{MOTION}.head.target.normalize": True,  # "keeping the others the same"
            "train_dataloader.dataset.pipeline.motion": dict(type="DenseFlow"),
            "train_dataloader.dataset.pipeline.pack.algorithm_keys": ("flow", "covisible"),
        },
    },
    "Table 8": {
        f"{KINETICS}_random": {"model.masker.type": "SlotRandomMasker"},
        f"{KINETICS}_time-only": {"model.masker.type": "FrameMasker"},
    },
    "Table 9": {
        f"{UCF101}_mask-90": {"model.masker.mask_ratio": 0.9},
        f"{SSV2}_mask-75": {"model.masker.mask_ratio": 0.75},
    },
    "Table 10": {f"{SSV2}_shared-decoder": {f"{MOTION}.neck": "pixel"}},
}
CASES = [(table, recipe) for table, rows in ROWS.items() for recipe in rows]


def arm_of(recipe):
    return next(arm for arm in (SSV2, KINETICS, UCF101) if recipe.startswith(f"{arm}_"))


@pytest.mark.parametrize(("table", "recipe"), CASES)
def test_a_row_changes_what_its_table_says_and_nothing_else(table, recipe):
    assert differences(recipe, arm_of(recipe)) == ROWS[table][recipe]


@pytest.mark.parametrize(("table", "recipe"), CASES)
def test_the_recipe_names_its_table(table, recipe):
    story = (ROOT / f"{recipe}.py").read_text().split('"""')[1]
    assert f"({table})" in " ".join(story.split())


def test_every_delta_of_an_arm_is_a_row_or_says_why_not():
    known = {recipe for _, recipe in CASES}
    others = {f"{UCF101}_1gpu", f"{SSV2}_random-resized-crop"}
    for arm in (SSV2, KINETICS, UCF101):
        found = {f"motionmae/{path.stem}" for path in ROOT.glob(f"{arm}_*.py")}
        assert found - others - {SSV2, KINETICS} <= known


@pytest.mark.parametrize(("arm", "epochs"), [(SSV2, 2400), (KINETICS, 1600)])
def test_the_full_length_is_the_arm_trained_for_longer(arm, epochs):
    changed = differences(arm.removesuffix("_400e"), arm)
    assert changed == {"train_cfg.max_epochs": epochs}
    assert load(arm)["train_cfg"]["max_epochs"] == 400


def test_the_other_reading_of_the_crop_changes_the_crop():
    changed = differences(f"{SSV2}_random-resized-crop", SSV2)
    assert set(changed) == {f"{CROP}.type", f"{CROP}.input_size", f"{CROP}.area_range"}
    crop = load(f"{SSV2}_random-resized-crop")["train_dataloader"]["dataset"]["pipeline"]["crop"]
    assert crop == dict(type="RandomResizedCrop", area_range=(0.5, 1.0))


@pytest.mark.parametrize("clips", ["shaders1k", "shaders1k_unmixed", "generated"])
def test_on_pseudo_motion_it_is_plain_videomae_and_a_second_decoder(clips):
    recipe, plain = f"motionmae/vit-b_{clips}", f"pmg/vit-b_{clips}"
    changed = differences(recipe, plain)
    assert set(changed) == {MOTION}
    assert changed[MOTION] == load(UCF101)["model"]["branches"]["motion"]
    # The one line that the recipes' stories name.
    config = Config.fromfile(ROOT / f"{recipe}.py", import_custom_modules=False)
    config.merge_from_dict({MOTION: None})
    without = {name: one for name, one in config.model.branches.items() if one is not None}
    assert without == load(plain)["model"]["branches"]


def test_exact_flow_stands_in_for_the_difference_on_unmixed_clips():
    changed = differences(
        "motionmae/vit-b_shaders1k_exact-flow", "motionmae/vit-b_shaders1k_unmixed"
    )
    assert changed == {
        "model.data_preprocessor.with_flow": True,
        f"{MOTION}.head.target.type": "FlowTarget",
        f"{MOTION}.head.loss_weight": 4.4,  # why: tests/test_flow_weight.py
    }
