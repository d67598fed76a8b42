"""DEMVM, Tables 2 and 4 to 7: a recipe differs from its arm in the keys of its row only."""

import pytest
from reference.recipe_differences import ROOT, differences, load

ARM = "demvm/swin-t_ucf101"
DATA = "train_dataloader.dataset"
HOOK = "default_hooks.masking_ratio"
MAP = f"{DATA}.pipeline.motion"
RATE = "optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult"
TOKEN = "model.branches.token"
TUBES = {  # no ratios of their own for places and slots, and no motion
    "model.masker.type": "TubeMasker",
    "model.masker.mask_ratio": 0.72,
    "model.masker.dense": None,
    "model.masker.sparse": None,
    HOOK: None,
    MAP: None,
}
COMPLEX = {f"{TOKEN}.neck.type": "FusingSwinDecoder", "model.backbone.out_indices": (1, 2, 3)}
LW_D = TUBES | {RATE: 1.0}
ROWS = {
    "Table 6": {
        f"{ARM}_dense-{den}": {
            "model.masker.dense": den / 100,
            "model.masker.sparse": pytest.approx(1 - den / 100),
        }
        for den in (90, 80, 60, 40, 30, 20, 10)
    },
    "Tables 6 and 7": {
        f"{ARM}_random": {"model.masker.dense": 0.5, "model.masker.sparse": 0.5, MAP: None},
    },
    "Table 7": {
        f"{ARM}_fixed-ratios": {HOOK: None},
        f"{ARM}_stratified-rate": TUBES,
        f"{ARM}_lightweight-decoder": LW_D,
        f"{ARM}_3d-tokenizer": LW_D | COMPLEX,
        f"{ARM}_baseline": LW_D | COMPLEX | {
            f"{TOKEN}.head.target.tokenizer.type": "VQVAE2D",
            f"{TOKEN}.head.target.checkpoint": "work_dirs/tokenizer/vqvae2d_ucf101/epoch_671.pth",
        },
    },
}  # fmt: skip
# Pseudo-motion moves whole frames: what moves fast guides, at 224 and at 64 pixels.
FAST, FAST_TOY = {"model.masker.threshold": 5.0}, {"model.masker.threshold": 2.0}
CASES = [(table, recipe) for table, rows in ROWS.items() for recipe in rows]


@pytest.mark.parametrize(("table", "recipe"), CASES)
def test_a_row_changes_what_its_table_says_and_nothing_else(table, recipe):
    assert differences(recipe, ARM) == ROWS[table][recipe]


@pytest.mark.parametrize(("table", "recipe"), CASES)
def test_the_recipe_names_its_table(table, recipe):
    story = " ".join((ROOT / f"{recipe}.py").read_text().split('"""')[1].split())
    assert f"({table})" in story or f"({table}," in story


def test_every_delta_of_the_arm_is_a_row():
    found = {f"demvm/{path.stem}" for path in ROOT.glob(f"{ARM}_*.py")}
    assert found == {recipe for _, recipe in CASES}


def test_without_guidance_the_masked_share_of_tubes_is_the_schedule_s_last():
    ratios = load(ARM)["default_hooks"]["masking_ratio"]["ratios"]
    last = ratios["spatial_ratio"][1] * ratios["temporal_ratio"][1]
    assert pytest.approx(last) == TUBES["model.masker.mask_ratio"]


def test_table_5_differs_in_the_videos_alone():
    changed = differences("demvm/swin-b_hmdb51", "demvm/swin-b_ucf101")
    assert changed == {
        f"{DATA}.ann_file": "data/hmdb51/hmdb51_train_split_1_videos.txt",
        f"{DATA}.data_prefix.video": "data/hmdb51/videos",
    }


def test_table_1_differs_in_the_encoder_alone():
    changed = differences("demvm/swin-b_ucf101", ARM)
    assert set(changed) == {"model.backbone.arch", "model.backbone.init_cfg.checkpoint"}


@pytest.mark.parametrize(
    ("recipe", "arm", "place", "threshold"),
    [
        ("vit-b_ucf101_vit", "videomae/vit-b_ucf101", "motion", {}),
        ("vit-b_ucf101_motionmae_vit", "motionmae/vit-b_ucf101", "motion", {}),
        ("vit-b_shaders1k_vit", "pmg/vit-b_shaders1k_unmixed", "motion_map", FAST),
        ("vit-toy_photographs_vit", "pmg/vit-toy_photographs_unmixed", "motion_map", FAST_TOY),
    ],
)
def test_flow_guidance_is_a_masker_and_a_map_and_nothing_else(recipe, arm, place, threshold):
    changed = differences(f"demvm/{recipe}", arm)
    step = changed.pop(f"{DATA}.pipeline.{place}")
    assert changed == threshold | {
        "model.masker.type": "FlowGuidedMasker",
        f"{DATA}.pipeline.pack.algorithm_keys": ("motion_map",),
    }, "as many masked tokens as in the arm"
    backbone = load(arm)["model"]["backbone"]
    assert step.pop("type") == "MotionMap"
    assert step.get("cell", 8) == backbone.get("patch_size", 16)
    assert step.get("frames", 2) == backbone.get("tubelet_size", 2)


@pytest.mark.parametrize(
    ("recipe", "place", "guiding"),
    [
        ("swin-toy_photographs", "motion_map", ["ratios", "threshold"]),
        ("swin-toy_gestures", "motion", ["ratios", "threshold"]),
    ],
)
def test_the_toys_differ_in_their_masks_alone(recipe, place, guiding):
    changed = differences(f"demvm/{recipe}_random", f"demvm/{recipe}")
    assert changed == {
        **{f"model.masker.{key}": None for key in guiding},
        "model.masker.dense": 0.5,
        "model.masker.sparse": 0.5,
        f"{DATA}.pipeline.{place}": None,
        f"{DATA}.pipeline.pack.algorithm_keys": None,
    }


@pytest.mark.parametrize("recipe", ["swin-toy_photographs", "swin-toy_gestures"])
def test_the_toys_run_the_tenth_of_the_schedule_that_the_paper_runs(recipe):
    for name in (recipe, f"{recipe}_random", "swin-t_ucf101"):
        config = load(f"demvm/{name}")
        period = config["default_hooks"]["masking_ratio"]["period"]
        assert period == 10 * config["train_cfg"]["max_epochs"]


def test_on_pseudo_motion_only_clips_tokenizer_and_what_guides_are_others():
    changed = differences("demvm/swin-t_shaders1k", ARM)
    model = {key: value for key, value in changed.items() if key.startswith("model.")}
    assert model == FAST | {
        "model.masker.ratios": "densities",
        f"{TOKEN}.head.target.checkpoint": "work_dirs/tokenizer/vqvae3d_shaders1k/epoch_64.pth",
    }
    assert all(key.startswith(("model.", "train_dataloader.")) for key in changed)
    theirs = differences("demvm/swin-t_shaders1k", "pmg/vit-b_shaders1k_unmixed")
    clips = {key for key in theirs if key.startswith("train_dataloader.")}
    assert clips == {
        "train_dataloader.batch_size",
        f"{DATA}.pipeline.motion_map",
        f"{DATA}.pipeline.pack.algorithm_keys",
    }
