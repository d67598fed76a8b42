"""What config.json and recipes leave out is what the libraries take; what they say counts."""

import inspect

import pytest
import torch
from mmaction.models.backbones import VisionTransformer
from mmengine.config import Config
from reference.converted_models import recognizer

from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.conversion import Hints, convert
from mmpmg.models.conversion.file_meta import check_meta, hints_of_meta
from mmpmg.models.conversion.hugging_face import config_json, hints_of_config
from mmpmg.models.conversion.model_configs import backbone_sizes, hints_of_model, said_by_model
from mmpmg.models.conversion.sizes import sizes_of
from mmpmg.models.necks import MAEDecoder
from mmpmg.models.targets import PixelTarget

HINTS = Hints(3, 2, 4, 32)


def default(kind, name):
    return inspect.signature(kind).parameters[name].default


def test_an_empty_config_is_transformers_own():
    """It writes only what differs from its defaults."""
    config = pytest.importorskip("transformers").VideoMAEConfig()
    assert hints_of_config(dict(model_type="videomae")) == Hints(
        config.num_attention_heads, config.decoder_num_attention_heads, config.num_frames,
        config.image_size, config.norm_pix_loss,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [MaskedVisionTransformer, VisionTransformer])
def test_a_recipe_that_says_nothing_has_the_modules_defaults(kind):
    branches = dict(pixel=dict(neck=dict(type="MAEDecoder")))
    model = dict(backbone=dict(type=kind.__name__), branches=branches)
    assert hints_of_model(model) == Hints(
        12, default(MAEDecoder, "num_heads"), default(kind, "num_frames"),
        default(kind, "img_size"), None,
    )  # fmt: skip
    built = kind(img_size=32, num_frames=2, depth=1)
    assert backbone_sizes(model) == dict(
        embed_dims=built.embed_dims, depth=12, num_heads=built.blocks[0].attn.num_heads,
        patch_size=default(kind, "patch_size"), tubelet_size=default(kind, "tubelet_size"),
    )  # fmt: skip


def two_branches():
    necks = [
        dict(type="MAEDecoder", embed_dims=12, depth=d, num_heads=h) for d, h in ((1, 2), (2, 3))
    ]
    plain = dict(target=dict(type="PixelTarget", normalize=False))
    return dict(
        backbone=dict(type="MaskedVisionTransformer", arch="tiny"),
        branches=dict(
            motion=dict(neck=necks[0], head=dict(target=dict(type="TemporalDifferenceTarget"))),
            pixel=dict(neck=necks[1], head=plain),
            flow=dict(neck="pixel", head=dict(target=dict(type="FlowTarget"))),
            gone=None,
        ),
    )


def test_the_branch_that_is_meant_says_its_decoder_and_target():
    model = two_branches()
    assert hints_of_model(model).decoder_heads == 2  # of the first
    assert hints_of_model(model, "pixel")[1:2] == (3,)
    assert hints_of_model(model, "flow").decoder_heads == 3  # shared
    assert hints_of_model(model, "pixel").normalize is False
    assert hints_of_model(model, "flow").normalize is None
    assert default(PixelTarget, "normalize") is True  # which is what nothing means
    assert said_by_model(model, "pixel")["decoder_depth"] == 2
    assert "decoder_depth" not in said_by_model(model)  # of several, none is meant
    text = Config(dict(model=model)).pretty_text
    assert hints_of_meta(dict(cfg=text), "pixel") == Hints(3, 3, 16, 224, False)
    assert hints_of_meta(dict(recipe=text), "motion").decoder_heads == 2  # a published file


def test_another_number_of_classes_than_the_recipes_is_noticed():
    backbone = dict(type="MaskedVisionTransformer", embed_dims=24, depth=2, patch_size=8)
    sizes = sizes_of(recognizer().state_dict(), HINTS)
    for classes in (5, 7):
        model = dict(backbone=backbone, cls_head=dict(num_classes=classes))
        meta = dict(cfg=Config(dict(model=model)).pretty_text)
        if classes == 5:
            check_meta(meta, sizes)
            continue
        with pytest.raises(ValueError, match="num classes 5, and the recipe in it says 7"):
            check_meta(meta, sizes)


def test_a_config_has_as_many_names_as_classes_and_square_tokens():
    sizes = convert(recognizer().state_dict(), "hf-classification", hints=HINTS).sizes
    assert config_json(sizes, "hf-classification", list("abcde"))["id2label"]["4"] == "e"
    for names in (list("abcd"), None):
        assert config_json(sizes, "hf-classification", names)["id2label"]["4"] == "LABEL_4"
    state = recognizer().state_dict()
    key = "backbone.patch_embed.projection.weight"
    state[key] = state[key][..., :4]
    alone = convert(recognizer().state_dict(), "hf-model", hints=HINTS).sizes
    assert "id2label" not in config_json(alone, "hf-model", list("abcde"))
    with pytest.raises(ValueError, match="tokens of 8 x 4 pixels are not square"):
        config_json(sizes_of(state, HINTS), "hf-classification")


def test_a_pooled_encoder_of_a_classifier_keeps_its_norm():
    """A file of which only the classifier was taken off."""
    state = convert(recognizer().state_dict(), "hf-classification", hints=HINTS).state
    bare = {key: value for key, value in state.items() if not key.startswith("classifier.")}
    conversion = convert(bare, "encoder", hints=HINTS)
    assert conversion.source == "hf-classification"
    assert torch.equal(conversion.state["backbone.fc_norm.weight"], state["fc_norm.weight"])
    assert not conversion.keys("unexpected")
