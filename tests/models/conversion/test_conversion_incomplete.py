"""A file that lost a weight, or a block, is refused; what weights do not tell is read rightly."""

import pytest
import torch
from reference.converted_models import TINY, pretrainer, recognizer

from mmpmg.engine.image_inflation import inflate_conversion
from mmpmg.models.conversion import Hints, convert
from mmpmg.models.conversion.file_meta import check_meta, hints_of_meta
from mmpmg.models.conversion.hugging_face import config_json, hints_of_config
from mmpmg.models.conversion.sizes import sizes_of

HINTS = Hints(3, 2, 4, 32)


def without(state, *ends):
    return {key: value for key, value in state.items() if not key.endswith(ends)}


@pytest.mark.parametrize("to", ["hf-classification", "videomae-finetuned", "encoder"])
@pytest.mark.parametrize("bias", ["blocks.0.attn.q_bias", "blocks.1.attn.v_bias"])
def test_one_lost_bias_of_q_or_v_is_no_model_without_them(to, bias):
    state = without(recognizer().state_dict(), bias)
    with pytest.raises(ValueError, match=f"the weights lack backbone.{bias}"):
        convert(state, to, hints=HINTS)


def test_lost_last_blocks_are_noticed_by_what_stands_beside_the_weights():
    state = convert(pretrainer().state_dict(), "hf-pretraining", hints=HINTS)
    config = config_json(state.sizes, "hf-pretraining")
    check_meta(dict(config=config), state.sizes)
    for part, words in (
        ("encoder.layer.1.", "depth 1, and config.json says 2"),
        ("decoder.decoder_layers.1.", "decoder depth 1, and config.json says 2"),
    ):
        cut = {key: value for key, value in state.state.items() if part not in key}
        sizes = convert(cut, "pretrainer", hints=HINTS).source_sizes
        with pytest.raises(ValueError, match=words):
            check_meta(dict(config=config), sizes)
    classes = convert(recognizer().state_dict(), "hf-classification", hints=HINTS).sizes
    config = config_json(classes, "hf-classification")
    config["id2label"] = {"0": "clap"}
    with pytest.raises(ValueError, match="num classes 5, and config.json says 1"):
        check_meta(dict(config=config), classes)
    backbone = "type='MaskedVisionTransformer', embed_dims=24, depth=12, num_heads=3, patch_size=8"
    recipe = f"model = dict(backbone=dict({backbone}))"
    with pytest.raises(ValueError, match=r"depth 2, and the recipe in it says 12"):
        check_meta(dict(cfg=recipe), classes)
    check_meta(dict(cfg=recipe.replace("=12", "=2")), classes)
    # What a conversion said of its file goes before the recipe that came along.
    check_meta(dict(cfg=recipe, conversion=dict(heads=3)), classes)
    # A recipe of something else says nothing of these weights.
    for other in ("dict(type='X')", "dict(type='VisionTransformer', arch='x')", "3"):
        check_meta(dict(cfg=f"model = dict(backbone={other})"), classes)
        assert hints_of_meta(dict(cfg=f"model = dict(backbone={other})")) == Hints()


@pytest.mark.parametrize(
    "lost", ["blocks.1.attn.qkv.weight", "blocks.0.attn.proj.bias", "blocks.1.attn.qkv.bias",
             "patch_embed.proj.bias"],
)  # fmt: skip
def test_an_image_model_that_lost_a_weight_is_not_inflated(lost):
    timm = pytest.importorskip("timm")
    state = timm.models.vision_transformer.VisionTransformer(
        img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3
    ).state_dict()
    clips = Hints(3, num_frames=4, img_size=32)
    inflate_conversion(state, "encoder", clips)
    with pytest.raises(ValueError, match="the weights lack backbone."):
        inflate_conversion(without(state, lost), "encoder", clips)


@pytest.mark.parametrize(
    ("hints", "words"),
    [(dict(num_frames=5), "--num-frames 5 is no positive multiple of a token's 2"),
     (dict(num_frames=0), "--num-frames 0"), (dict(num_frames=-4), "--num-frames -4"),
     (dict(img_size=12), "--image-size 12 is no positive multiple of a token's 8")],
)  # fmt: skip
def test_clips_of_no_whole_tokens_are_refused(hints, words):
    with pytest.raises(ValueError, match=words):
        sizes_of(recognizer().state_dict(), Hints(3)._replace(**hints))


@pytest.mark.parametrize("heads", [0, -3, 5])
def test_heads_that_divide_nothing_are_refused(heads):
    sizes = sizes_of(recognizer().state_dict(), HINTS._replace(heads=heads))
    with pytest.raises(ValueError, match=f"--heads {heads} does not divide the width 24"):
        sizes.check_heads()


def test_a_config_tells_everything_that_weights_do_not():
    neck = dict(embed_dims=12, depth=2, num_heads=2, mlp_ratio=2.0)
    ours = pretrainer(neck=neck, **{**TINY, "mlp_ratio": 3.0})
    sizes = convert(
        ours.state_dict(), "hf-pretraining", hints=HINTS._replace(normalize=False)
    ).sizes
    config = config_json(sizes, "hf-pretraining")
    assert config["norm_pix_loss"] is False and hints_of_config(config).normalize is False
    assert (config["intermediate_size"], config["decoder_intermediate_size"]) == (72, 24)
    assert hints_of_config({**config, "norm_pix_loss": True}).normalize is True
    with pytest.raises(ValueError, match="hidden_act='relu'"):
        hints_of_config({**config, "hidden_act": "relu"})
    for size in (None, [32, 64], "32"):
        with pytest.raises(ValueError, match="image_size=.*square frames"):
            hints_of_config({**config, "image_size": size})
    assert hints_of_config({**config, "image_size": [32, 32]}).img_size == 32


@pytest.mark.parametrize(
    ("key", "words"),
    [("videomae.encoder.layer.0.attention.attention.key.bias", "keys have a bias"),
     ("videomae.encoder.layer.0.gamma_2", "scales its layers")],
)  # fmt: skip
def test_biases_of_keys_and_both_scales_are_barred(key, words):
    state = convert(recognizer().state_dict(), "hf-classification", hints=HINTS).state
    with pytest.raises(ValueError, match=words):
        convert({**state, key: torch.ones(24)}, "recognizer", hints=HINTS)
