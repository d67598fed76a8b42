"""Clips that nobody would render are refused before the first step."""

from __future__ import annotations

import pytest
import torch
from mmaction.models import ActionDataPreprocessor
from mmengine.config import Config

from mmpmg.engine.deferred_check import check_deferred
from mmpmg.models.data_preprocessors import PMGDataPreprocessor

PACKED = dict(type="PackActionInputs", meta_keys=("sample_seed", "deferred_motion"))


def videos(deferred, pack=PACKED, step="PMGAug", named=False):
    aug = dict(type=step, deferred=deferred)
    pipeline = [dict(type="DecordInit"), aug, pack]
    if named:
        pipeline = dict(zip(("init", "motion", "pack"), pipeline, strict=True))
    return dict(type="VideoDataset", pipeline=pipeline)


def recipe(dataset, preprocessor="ActionDataPreprocessor"):
    return Config(
        dict(
            model=dict(type="Recognizer3D", data_preprocessor=dict(type=preprocessor)),
            train_dataloader=dict(dataset=dataset),
        )
    )


def mixture(part):
    return dict(type="MixedDatasets", parts=dict(images=None, videos=part))


PLACES = {
    "pipeline.1": videos(True),
    "pipeline.motion": videos(True, named=True, step="PMGPipeline"),
    "dataset.dataset.pipeline.1": dict(dataset=dict(dataset=videos(True))),
    "parts.videos.pipeline.1": mixture(videos(True)),
    "pipeline.0.transforms.0": dict(
        pipeline=[dict(type="RandomApply", transforms=[dict(type="PMGAug", deferred=True)]), PACKED]
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_data_preprocessor_that_does_not_render_is_refused(place):
    with pytest.raises(ValueError, match=r"data_preprocessor\.type='PMGDataPrep") as error:
        check_deferred(recipe(PLACES[place]))
    assert f"or train_dataloader.dataset.{place}.deferred=False" in str(error.value)
    check_deferred(recipe(PLACES[place], "PMGDataPreprocessor"))


@pytest.mark.parametrize("step", ["PMGAug", "mmaction.PMGAug"])
def test_a_motion_that_is_not_packed_is_refused(step):
    lacking = videos(True, pack=dict(type="PackActionInputs"), step=step)
    with pytest.raises(ValueError, match=r"pipeline\.2\.meta_keys lacks 'deferred_motion'"):
        check_deferred(recipe(lacking, "PMGDataPreprocessor"))
    # The other part of a mixture packs it, but for itself.
    both = dict(parts=dict(a=videos(True), b=lacking))
    with pytest.raises(ValueError, match=r"parts\.b\.pipeline\.2\.meta_keys"):
        check_deferred(recipe(both, "PMGDataPreprocessor"))


def test_auto_defers_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check_deferred(recipe(videos("auto")))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match="deferred='auto'"):
        check_deferred(recipe(videos("auto")))


def test_a_child_of_ours_renders_and_its_parent_does_not():
    class Child(PMGDataPreprocessor):
        pass

    assert recipe(videos(True), Child).model.data_preprocessor.type is Child
    check_deferred(recipe(videos(True), Child))
    with pytest.raises(ValueError, match="does not render"):
        check_deferred(recipe(videos(True), ActionDataPreprocessor))


def test_nothing_deferred_is_nobody_s_business():
    check_deferred(recipe(videos(False, pack=dict(type="PackActionInputs"))))
    check_deferred(Config(dict(model=dict(type="Recognizer3D"))))
