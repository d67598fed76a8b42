import dataclasses
import inspect

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope
from reference.tiny_segmenter import GREEN, RED, film, sample_of, segment, tiny_segmenter

from mmpmg.models.segmenters import LabelPropagationSegmenter
from mmpmg.models.segmenters.given_mask import given_mask
from mmpmg.models.segmenters.label_propagation import LabelPropagation


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def test_bad_samples_are_refused_by_name():
    frames, masks = film([[(8, 8)]] * 3)
    model = tiny_segmenter()
    empty, foreign = masks.clone(), masks.clone()
    empty[0], foreign[0, 0, 0] = 0, 3
    for given, ids, told in (
        (empty, (1,), "no object"),
        (foreign, (1,), r"ids \[1, 3\].*\[1\]"),
        (masks, (1, 2), r"ids \[1\].*\[1, 2\]"),
        (masks[:2], (1,), "one mask of a frame's size"),
        (masks[:, :-1], (1,), "one mask of a frame's size"),
    ):
        with pytest.raises(ValueError, match=rf"film.*{told}"):
            segment(model, frames, given, ids=ids)
    bare = ActionDataSample()
    bare.set_metainfo(dict(filename="folder/film"))
    with pytest.raises(ValueError, match=r"folder/film has no gt_masks"):
        model.test_step(dict(inputs=[frames], data_samples=[bare]))


def test_ids_are_those_of_the_first_mask_where_nothing_names_them():
    frames, masks = film([[(8, 8 * t)] for t in range(3)])
    sample = sample_of(masks)
    sample.set_metainfo(dict(sequence="film"))
    nameless = ActionDataSample()
    nameless.gt_masks = masks
    model = tiny_segmenter()
    found = model.test_step(dict(inputs=[frames], data_samples=[nameless]))[0].pred_masks
    assert found.equal(segment(model, frames, masks))


def test_other_modes_say_what_to_do():
    frames, masks = film([[(8, 8)]] * 2)
    model = tiny_segmenter()
    with pytest.raises(ValueError, match=r"no loss.*tools/test\.py"):
        model([frames], [sample_of(masks)], mode="loss")
    with pytest.raises(ValueError, match="'predict', 'tensor'"):
        model([frames], mode="segment")
    with pytest.raises(ValueError, match="data sample"):
        model([frames], mode="predict")


@pytest.mark.parametrize(
    "sequence", [torch.zeros(1, 3, 2, 8, 8), torch.zeros(3, 2, 8, 8).byte(),
                 torch.zeros(2, 3, 2, 8, 8).byte(), torch.zeros(1, 3, 0, 8, 8).byte()]
)  # fmt: skip
def test_a_sequence_of_another_shape_is_refused(sequence):
    with pytest.raises(ValueError, match=r"not \(1, 3, T, H, W\)"):
        tiny_segmenter().data_preprocessor(dict(inputs=[sequence], data_samples=[None]))


def test_frames_are_normalised_where_the_model_is():
    preprocessor = tiny_segmenter().data_preprocessor
    frames = torch.tensor([0, 127, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = (torch.tensor([0.0, 127.0, 255.0]) - 127.5) / 60
    torch.testing.assert_close(preprocessor.normalise(frames).flatten(), expected)
    for mean, std in (([1.0], [1.0]), ([0.0] * 3, [1.0, 0.0, 1.0])):
        with pytest.raises(ValueError, match=r"data_preprocessor\.mean"):
            MODELS.build(dict(type="SequencePreprocessor", mean=mean, std=std))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("context_frames", 7), ("top_k", 5), ("radius", 3.5), ("temperature", 0.1),
        ("restrict_first", True), ("fill_context", False), ("max_affinity", 1000),
    ],
)  # fmt: skip
def test_an_option_reaches_the_propagation_and_changes_it_alone(key, value):
    assert getattr(LabelPropagation(), key) != value
    assert tiny_segmenter(**{key: value}).propagation == LabelPropagation(**{key: value})


def test_every_option_of_the_propagation_is_the_segmenters_too():
    options = inspect.signature(LabelPropagationSegmenter).parameters
    for field in dataclasses.fields(LabelPropagation):
        assert options[field.name].default == field.default


def test_ids_in_another_order_are_sorted():
    frames, masks = film([[(8, 8), (24, 40)]] * 3, (RED, GREEN))
    assert given_mask(frames, sample_of(masks, ids=(2, 1)))[1] == (1, 2)


@pytest.mark.parametrize(("key", "value"), [("frames_per_batch", 0), ("rescale", "yes")])
def test_what_is_out_of_range_names_its_key(key, value):
    with pytest.raises(ValueError, match=rf"model\.{key}"):
        tiny_segmenter(**{key: value})
