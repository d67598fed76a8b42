"""A flow behind whose making the pixels are moved is refused before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from mmpmg.engine.flow_check import check_flow_order

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = [dict(type="FormatShape"), dict(type="PackActionInputs")]
MOVERS = [
    dict(type="Flip", flip_ratio=0.5),
    dict(type="RandomCrop", size=64),
    dict(type="Resize", scale=(64, 64)),
    dict(type="mmaction.Flip"),
]


def recipe(*steps, with_flow=True, named=False):
    pipeline = [*steps, *LAYOUT]
    if named:
        pipeline = {f"step_{k}": step for k, step in enumerate(pipeline)}
    return Config(
        dict(
            model=dict(data_preprocessor=dict(type="PMGDataPreprocessor", with_flow=with_flow)),
            train_dataloader=dict(
                dataset=dict(type="Wrapper", dataset=dict(type="Videos", pipeline=pipeline))
            ),
        )
    )


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("maker", ["PMGPipeline", "PMGAug", "DenseFlow", "mmaction.DenseFlow"])
@pytest.mark.parametrize("mover", MOVERS, ids=lambda step: step["type"])
def test_what_moves_pixels_behind_the_flow_is_refused(mover, maker, named):
    make = dict(type=maker)
    key = r"step_1" if named else "1"
    with pytest.raises(ValueError, match=rf"dataset\.dataset\.pipeline\.{key}, a \w+, stands beh"):
        check_flow_order(recipe(make, mover, named=named))
    check_flow_order(recipe(mover, make, named=named))
    check_flow_order(recipe(make, mover, with_flow=False, named=named))


def test_flow_may_be_estimated_behind_the_aug_but_not_behind_a_flip_of_it():
    aug, flow, flip = dict(type="PMGAug"), dict(type="DenseFlow"), dict(type="Flip")
    check_flow_order(recipe(flip, aug, flow))
    with pytest.raises(ValueError, match="a Flip, stands behind PMGAug"):
        check_flow_order(recipe(aug, flip, flow))
    held = dict(type="RandomApply", transforms=[aug])
    with pytest.raises(ValueError, match="a Flip, stands behind PMGAug"):
        check_flow_order(recipe(held, flip))


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("mover", MOVERS, ids=lambda step: step["type"])
def test_what_moves_pixels_behind_a_motion_map_is_refused_with_or_without_flow(mover, named):
    aug, mapped = dict(type="PMGAug"), dict(type="MotionMap")
    for with_flow in (False, True):
        for steps, maker in (((mapped, mover), "MotionMap"), ((aug, mover, mapped), "PMGAug")):
            told = rf"stands behind {maker}: the motion map would .* drop MotionMap from train_da"
            with pytest.raises(ValueError, match=told):
                check_flow_order(recipe(*steps, with_flow=with_flow, named=named))
        check_flow_order(recipe(mover, aug, mapped, with_flow=with_flow, named=named))
    check_flow_order(recipe(aug, mover, with_flow=False, named=named))


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("changer", ["PMGPipeline", "PMGAug", "mmaction.PMGAug"])
@pytest.mark.parametrize("reader", ["MotionMap", "DenseFlow"])
def test_what_reads_a_clip_stands_behind_what_replaces_it(reader, changer, held, named):
    change, read = dict(type=changer), dict(type=reader)
    if held:
        change = dict(type="RandomApply", transforms=[change])
    name = changer.removeprefix("mmaction.")
    key = "step_1" if named else "1"
    told = rf"pipeline\.{key}, a {name}, makes another clip behind {reader},.* behind {name}$"
    with pytest.raises(ValueError, match=told):
        check_flow_order(recipe(read, change, named=named))
    check_flow_order(recipe(change, read, named=named))
    if reader == "DenseFlow":
        check_flow_order(recipe(read, change, with_flow=False, named=named))


@pytest.mark.parametrize(
    "name",
    ["vit-b_ucf101_optical-flow", "vit-b_shaders1k_exact-flow", "vit-toy_photographs_exact-flow"],
)
def test_the_recipes_pass_and_with_a_late_flip_do_not(name):
    config = Config.fromfile(ROOT / f"configs/motionmae/{name}.py", import_custom_modules=False)
    check_flow_order(config)
    pipeline = config.train_dataloader.dataset.pipeline
    config.train_dataloader.dataset.pipeline = dict(
        {k: v for k, v in pipeline.items() if k not in ("layout", "pack")},
        late=dict(type="Flip"),
        **{k: pipeline[k] for k in ("layout", "pack")},
    )
    with pytest.raises(ValueError, match="pipeline.late, a Flip"):
        check_flow_order(config)
