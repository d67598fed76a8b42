"""What is drawn of flow-guided masks is what the recipe's own masker and motion map say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpmg.datasets.klt_motion import grid_points
from mmpmg.models.data_preprocessors.batch_motion_map import batch_motion_map
from mmpmg.models.sample_seeds import batch_seeds
from mmpmg.visualization.guided_masks import guided_clips, masking_told
from mmpmg.visualization.guided_sheet import GuidedClip, GuidedMask, guided_sheet, guided_summary
from mmpmg.visualization.labels import PAPER
from mmpmg.visualization.masking_ratios import changed
from mmpmg.visualization.masks import TINT
from mmpmg.visualization.model_pictures import preprocessed
from mmpmg.visualization.motion_map_picture import POINT, REGION
from mmpmg.visualization.recipe_models import recipe_model
from mmpmg.visualization.training_samples import read_samples

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "model.backbone.arch.embed_dims": 24,
    "model.backbone.arch.depths": (1, 1, 1, 1),
    "train_dataloader.dataset.num_images": 4,
    # A part in front of a background that moves little: both regions in every slot.
    "train_dataloader.dataset.pipeline.motion.ops": ["Layered"],
}


def recipe(name: str = "swin-toy_generated_smoke", **changes: Any) -> Config:
    init_default_scope("mmaction")
    config = Config.fromfile(ROOT / "configs" / "demvm" / f"{name}.py")
    config.merge_from_dict(changes)
    return config


@pytest.fixture(scope="module")
def swin() -> tuple[Any, Any, list]:
    config = recipe(**SMALL)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    return recipe_model(config, None), dataset, read_samples(dataset, [0, 1, 2, 3], seed=5)


def settings(masker: Any) -> dict[str, Any]:
    """What the masker draws with, without what it remembers of the last batch."""
    return {k: v for k, v in vars(masker).items() if isinstance(v, (int, float, str))}


def test_masks_are_the_maskers_own_at_each_density(swin) -> None:
    model, dataset, samples = swin
    before = settings(model.masker)
    drawn = guided_clips(model, dataset, samples, (0.5, 0.7), (0.5, 0.75))
    assert settings(model.masker) == before, "the masker is left as it was"
    clips, data_samples = preprocessed(model, samples)
    seeds = batch_seeds(data_samples, len(clips), clips.device)
    maps = batch_motion_map(data_samples).numpy()
    for number, dense in enumerate((0.5, 0.7)):
        own = type(model.masker)(dense, round(1 - dense, 9), 0.5, 0.75)
        masks = own(seeds, model.backbone.grid, data_samples).numpy()
        ratios = own.guide(seeds, model.backbone.grid, data_samples)[1]
        random = ratios.random.numpy()
        wrong = ((ratios.moving < ratios.background) & ~ratios.random).numpy()
        for i, clip in enumerate(drawn):
            np.testing.assert_array_equal(clip.masks[number].mask, masks[i])
            np.testing.assert_array_equal(clip.motion, maps[i])
            np.testing.assert_array_equal(clip.moving, maps[i] >= model.masker.threshold)
            assert f"P_den {dense:g}" in clip.masks[number].name
            used = clip.masks[number].mask.reshape(8, -1).any(1)
            assert used.sum() == 6, "three quarters of eight slots"
            expected = np.ones(8, bool) if dense == 0.5 else random[i]
            np.testing.assert_array_equal(clip.masks[number].random, expected)
            backwards = np.zeros(8, bool) if dense == 0.5 else wrong[i]
            np.testing.assert_array_equal(clip.masks[number].reversed, backwards)
    assert "P_spa 0.5 of the tokens in P_tmp 0.75 of the slots" in masking_told(
        model.masker, (0.5, 0.75)
    )


def test_points_of_a_pseudo_motion_clip_have_its_exact_flow(swin) -> None:
    model, dataset, samples = swin
    for sample, clip in zip(samples, guided_clips(model, dataset, samples, (0.7,)), strict=True):
        assert clip.source == "exact flow" and clip.points.shape == (64, 2)
        flow, seen = sample.motion.flow(), sample.motion.covisible()
        for slot in range(8):
            for (x, y), moved, found in zip(
                clip.points.astype(int), clip.moved[slot], clip.found[slot], strict=True
            ):
                np.testing.assert_array_equal(moved, flow[2 * slot, y, x])
                assert found == seen[2 * slot, y, x]


def test_points_of_a_real_clip_follow_it(swin) -> None:
    """A clip that slides by two pixels a frame, as KLT sees it."""
    model, dataset, samples = swin
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    wide = rough.repeat(5, 0).repeat(5, 1)
    smooth = np.stack([np.roll(wide, k, (0, 1)) for k in range(5)]).mean(0).astype(np.uint8)
    clip = np.stack([smooth[:64, 2 * k : 2 * k + 64] for k in range(16)])
    real = replace(samples[0], clip=clip, motion=None, family="real clip", name="a/b.mp4")
    (drawn,) = guided_clips(model, dataset, [real], (0.7,))
    assert drawn.source == "KLT points" and drawn.label == "b.mp4"
    inner = drawn.found & (np.abs(drawn.points - 32) < 20).all(1)
    assert inner.sum() > 100
    np.testing.assert_allclose(np.median(drawn.moved[inner], axis=0), (-2, 0), atol=0.1)


def test_a_masker_of_exact_counts_is_drawn_at_its_own_ratio() -> None:
    vit = recipe("vit-toy_photographs_vit")
    vit.model.backbone.depth = 1
    vit.train_dataloader.dataset.images = dict(
        type="ShaderImages", num_categories=2, images_per_category=1, size=96
    )
    dataset = DATASETS.build(vit.train_dataloader.dataset)
    samples = read_samples(dataset, [0, 1], seed=1)
    model = recipe_model(vit, None)
    model.masker.tubes = True
    for clip in guided_clips(model, dataset, samples, (0.7, 0.9)):
        assert (clip.moving == clip.moving[:1]).all(), "a place moves where it does in any slot"
        np.testing.assert_array_equal(
            clip.moving[0], clip.motion.max(axis=0) >= model.masker.threshold
        )
        assert all(mask.mask.mean() == 0.75 for mask in clip.masks)
    assert "75% of each clip" in masking_told(model.masker, None)
    with pytest.raises(ValueError, match=r"--ratios.*model\.masker\.mask_ratio"):
        guided_clips(model, dataset, samples, (0.7,), (0.5, 0.5))


def test_mistakes_are_named(swin) -> None:
    model, dataset, samples = swin
    for dense in (0.0, 1.0):
        with pytest.raises(ValueError, match=f"--guided {dense:g}: P_den"):
            guided_clips(model, dataset, samples, (dense,))
    with pytest.raises(ValueError, match=r"--ratios 0\.5 1\.5: both"):
        guided_clips(model, dataset, samples, (0.7,), (0.5, 1.5))
    masker, model.masker = model.masker, model.backbone
    try:
        with pytest.raises(ValueError, match=r"which no motion guides.*configs/demvm"):
            guided_clips(model, dataset, samples, (0.7,))
    finally:
        model.masker = masker


def hand_made() -> GuidedClip:
    """Two slots of 2 x 2 tokens; the left half of slot 0 moves; one token of slot 0 is masked."""
    moving = np.zeros((2, 2, 2), bool)
    moving[0, :, 0] = True
    mask = np.zeros(8, bool)
    mask[[0, 3]] = True
    return GuidedClip(
        clip=np.full((4, 64, 64, 3), 200, np.uint8),
        label="by hand",
        source="exact flow",
        points=np.array([(16, 16)], np.float32),
        moved=np.zeros((2, 1, 2), np.float32),
        found=np.ones((2, 1), bool),
        motion=np.where(moving, 2.0, 0.0).astype(np.float32),
        moving=moving,
        threshold=0.5,
        token_shape=(2, 32, 32),
        masks=[
            GuidedMask("P_den 0.7, P_spr 0.3", mask, np.array([False, True]), np.zeros(2, bool))
        ],
    )


def test_a_masked_token_is_veiled_where_the_mask_says() -> None:
    item = hand_made()
    label, (first, second) = item.mask_row(0, [0, 1], scale=2)
    veiled = (0.28 * 200 + 0.72 * TINT).round()
    middles = {(r, c): first[r * 64 + 32, c * 64 + 32] for r in (0, 1) for c in (0, 1)}
    for place, masked in {(0, 0): True, (0, 1): False, (1, 0): False, (1, 1): True}.items():
        np.testing.assert_allclose(middles[place], veiled if masked else 200, atol=1)
    assert (second[40:] == 200).all(), "slot 1 is not masked"
    np.testing.assert_array_equal(first[100, 0], REGION)
    assert not (first[100, 66:] == REGION).all(axis=-1).any()
    assert label.split("\n")[1:] == [
        "1 of 2 slots masked, in these", "50% of moving tokens", "50% of still tokens",
    ]  # fmt: skip
    every = replace(item, masks=[replace(item.masks[0], random=np.array([True, True]))])
    assert every.mask_row(0, [0], 1)[0].endswith("random: all of them")
    ways = np.array([[False, True], [True, False]])
    both = replace(item, masks=[GuidedMask("", np.arange(8) % 3 == 0, *ways)])
    assert both.mask_row(0, [0], 1)[0].endswith("random: slot 1\nreversed: slot 0")


def test_the_summary_counts_slots_and_masked_tokens_over_all_clips() -> None:
    item = hand_made()
    back = replace(item, masks=[replace(item.masks[0], reversed=np.array([True, False]))])
    still = replace(item, moving=np.zeros_like(item.moving))
    still = replace(still, masks=[replace(item.masks[0], random=np.ones(2, bool))])
    lines = guided_summary([item, item, back, still]).split("\n")
    assert lines[0] == "4 clips: 19% of the tokens move by 0.5 pixels a frame or more."  # 6 of 32
    # Of slot 0 of each clip 2 of 4 tokens are masked: 3 of 6 that move, 5 of 10 still ones.
    assert lines[1:] == [
        "P_den 0.7, P_spr 0.3: of 8 slots 62% random, 25% denser where it moves, 12% denser where "
        "still; masked in the masked slots: 50% of moving, 50% of still tokens."
    ]


def test_a_recipe_that_masks_at_random_sends_to_the_guided_one(swin) -> None:
    model, dataset, samples = swin
    bare = []
    for sample in samples:
        data_sample = sample.packed["data_samples"].clone()
        del data_sample.motion_map
        bare.append(replace(sample, packed=dict(sample.packed, data_samples=data_sample)))
    with (
        changed(model.masker, dict(dense=0.5, sparse=0.5)),
        pytest.raises(ValueError, match=r"--guided.*beside it, whose name lacks _random"),
    ):
        guided_clips(model, dataset, bare, (0.7,))


def test_points_that_stand_too_close_are_thinned() -> None:
    """A lattice of 8 pixels: all of it where the frame is doubled, every other row as it is."""
    still = hand_made()
    points = grid_points(8, 8, 8)
    found = np.ones((2, 64), bool)
    item = replace(still, points=points, found=found, moved=np.zeros((2, 64, 2), np.float32))
    for scale, rows, told in ((2, range(8), "exact flow"), (1, range(1, 8, 2), ", 1 of 2 x 2")):
        label, (picture, _) = item.points_row([0, 1], scale)
        assert told in label
        middles = np.round((points[:8, 0] + 0.5) * scale - 0.5).astype(int)
        drawn = [bool((picture[y - 1 : y + 2, middles[1]] == POINT).all(-1).any()) for y in middles]
        assert drawn == [number in rows for number in range(8)]


def test_the_sheet_has_a_row_for_each_thing_and_labels_slots() -> None:
    one, two = guided_sheet([hand_made()]), guided_sheet([hand_made(), hand_made()])
    assert two.shape[1] == one.shape[1]
    assert two.shape[0] - one.shape[0] == pytest.approx(4 * 132, abs=40)
    assert (one[-2] == PAPER).all()
    longer = replace(hand_made(), clip=np.zeros((8, 64, 64, 3), np.uint8))
    with pytest.raises(ValueError, match="clips of one"):
        guided_sheet([hand_made(), longer])
