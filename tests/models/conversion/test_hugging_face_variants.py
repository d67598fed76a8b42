"""Every kind of Hugging Face's VideoMAE computes here what it computes there, or is refused."""

import pytest
import torch
from reference.converted_models import clips_and_mask, predict, pretrainer, recognizer

from mmpmg.engine.hugging_face_models import write_folder
from mmpmg.models.conversion import Hints, convert
from mmpmg.models.conversion.file_meta import check_meta, hints_of_meta
from mmpmg.models.weight_files import read_weights

transformers = pytest.importorskip("transformers", reason="pip install mmpmg[test]")
CLOSE = dict(rtol=1e-5, atol=1e-5)
CLASSES = ("VideoMAEForPreTraining", "VideoMAEModel", "VideoMAEForVideoClassification")
HINTS = Hints(3, 2, 4, 32)
FRESH_DECODER = {"necks", "heads"}


def make(name, pools, biases):
    torch.manual_seed(0)
    model = getattr(transformers, name)(
        transformers.VideoMAEConfig(
            image_size=32, num_frames=4, patch_size=8, hidden_size=24, num_hidden_layers=2,
            num_attention_heads=3, intermediate_size=96, decoder_hidden_size=12,
            decoder_num_hidden_layers=2, decoder_num_attention_heads=2,
            decoder_intermediate_size=48, layer_norm_eps=1e-6, num_labels=5,
            use_mean_pooling=pools, qv_bias=biases,
        )
    ).eval()  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for module in model.modules():  # two of them, which no config reaches, have 1e-5
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = 1e-6
    return model


@pytest.fixture(params=CLASSES)
def name(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["pools", "closes with a norm"])
def pools(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["biases", "no biases"])
def biases(request):
    return request.param


@pytest.fixture
def source(name, pools, biases, tmp_path):
    """Their model, and what their file says, as the command reads it."""
    theirs = make(name, pools, biases)
    theirs.save_pretrained(tmp_path)
    file = read_weights(tmp_path)
    return theirs, file.state, hints_of_meta(file.meta)


def filled(ours, state, lacks):
    """Load with nothing left over, and only what is named missing."""
    result = ours.load_state_dict(state, strict=False)
    assert {key.split(".")[0] for key in result.missing_keys} == lacks
    assert not result.unexpected_keys
    return ours


@torch.no_grad()
def test_a_pretrainer_of_it(source, name, pools, biases):
    theirs, state, hints = source
    clips, mask = clips_and_mask(4, 32, 32)
    if name == CLASSES[0] and pools:
        with pytest.raises(ValueError, match="use_mean_pooling=True.*--to encoder"):
            convert(state, "pretrainer", hints=hints)
        return
    conversion = convert(state, "pretrainer", hints=hints)
    zeros = [row for row in conversion.rows if row.reason.startswith("zeros: ")]
    parts = 2 if name == CLASSES[0] else 1
    assert len(zeros) == (0 if biases else 2 * 2 * parts)
    assert all(row.status == "missing" and not conversion.state[row.target].any() for row in zeros)
    if name == CLASSES[0]:
        ours = filled(pretrainer(), conversion.state, set())
        told = theirs(clips.transpose(1, 2), bool_masked_pos=mask)
        predictions, loss = predict(ours, clips, mask)
        torch.testing.assert_close(predictions, told.logits, **CLOSE)
        torch.testing.assert_close(loss, told.loss, **CLOSE)
        return
    ours = filled(
        pretrainer(), conversion.state, FRESH_DECODER | ({"backbone"} if pools else set())
    )
    if pools:  # its closing norm is the only weight of the encoder that starts fresh
        assert {row.target for row in conversion.rows if row.reason == "starts fresh in the model"
                } == {"backbone.norm.weight", "backbone.norm.bias"}  # fmt: skip
        ours.backbone.norm = torch.nn.Identity()
    encoder = getattr(theirs, "videomae", theirs)
    expected = encoder(clips.transpose(1, 2)).last_hidden_state
    torch.testing.assert_close(ours.extract_feat(clips), expected, **CLOSE)


@pytest.mark.parametrize("kind", ["MaskedVisionTransformer", "VisionTransformer"])
@pytest.mark.parametrize("to", ["encoder", "recognizer"])
@torch.no_grad()
def test_an_encoder_and_a_recognizer_of_it(source, name, pools, biases, to, kind):
    theirs, state, hints = source
    clips, _ = clips_and_mask(4, 32, 32)
    classifies = name == CLASSES[2]
    conversion = convert(state, to, hints=hints)
    lacks = set() if to == "recognizer" and classifies else {"cls_head"}
    ours = recognizer(kind, use_mean_pooling=pools or not classifies)
    ours = filled(ours, conversion.state, lacks)
    if classifies:
        if lacks:
            ours.cls_head.fc_cls.load_state_dict(theirs.classifier.state_dict())
        expected = theirs(clips.transpose(1, 2)).logits
        torch.testing.assert_close(ours.cls_head(ours.backbone(clips)), expected, **CLOSE)
        return
    encoder = getattr(theirs, "videomae", theirs)
    encoder.layernorm = None
    tokens = encoder(clips.transpose(1, 2)).last_hidden_state
    expected = torch.nn.functional.layer_norm(tokens.mean(1), (24,), eps=1e-6)
    torch.testing.assert_close(ours.backbone(clips), expected, **CLOSE)


@torch.no_grad()
def test_its_encoder_there(source, pools, tmp_path):
    theirs, state, hints = source
    conversion = convert(state, "hf-model", hints=hints)
    write_folder(tmp_path / "model", conversion.state, conversion.sizes, "hf-model", {})
    alone, info = transformers.VideoMAEModel.from_pretrained(
        tmp_path / "model", output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    clips, _ = clips_and_mask(4, 32, 32)
    expected = getattr(theirs, "videomae", theirs)(clips.transpose(1, 2)).last_hidden_state
    told = alone.eval()(clips.transpose(1, 2)).last_hidden_state
    torch.testing.assert_close(told, expected, **CLOSE)
    assert alone.config.use_mean_pooling == pools


@torch.no_grad()
def test_ours_without_biases_in_the_encoder_alone_has_one_switch_for_both_there(tmp_path):
    ours = pretrainer(img_size=32, num_frames=4, patch_size=8, embed_dims=24, depth=2, num_heads=3,
                      qkv_bias=False)  # fmt: skip
    state = ours.state_dict()
    assert not [key for key in state if key.startswith("backbone.") and key.endswith("q_bias")]
    conversion = convert(state, "hf-pretraining", hints=HINTS)
    write_folder(tmp_path, conversion.state, conversion.sizes, "hf-pretraining", {})
    theirs, info = transformers.VideoMAEForPreTraining.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not info["missing_keys"] and theirs.config.qv_bias
    clips, mask = clips_and_mask(4, 32, 32)
    theirs.eval().decoder.norm.eps = 1e-6
    told = theirs(clips.transpose(1, 2), bool_masked_pos=mask)
    torch.testing.assert_close(told.logits, predict(ours, clips, mask)[0], **CLOSE)
    alone = convert(state, "hf-model", hints=HINTS)
    assert not alone.sizes.qv_bias and not [key for key in alone.state if "_bias" in key]
    # Ours go on without, as their recipe says.
    assert "backbone.blocks.0.attn.q_bias" not in convert(state, "encoder", hints=HINTS).state


def test_a_config_of_either_release_says_that_there_are_no_biases(tmp_path):
    make(CLASSES[0], False, False).save_pretrained(tmp_path)
    file = read_weights(tmp_path)
    sizes = convert(file.state, "pretrainer", hints=hints_of_meta(file.meta)).source_sizes
    config = {
        key: v for key, v in file.meta["config"].items() if key not in ("qv_bias", "qkv_bias")
    }
    for said in ("qv_bias", "qkv_bias"):  # of transformers 5 and 4
        check_meta(dict(config={**config, said: False}), sizes)
    with pytest.raises(ValueError, match="weights have qv bias False, and config.json says True"):
        check_meta(dict(config=config), sizes)


def test_biases_that_a_config_promises_and_a_file_lost_are_no_model_without_them(tmp_path):
    make(CLASSES[0], False, True).save_pretrained(tmp_path)
    file = read_weights(tmp_path)
    check_meta(file.meta, convert(file.state, "pretrainer", hints=HINTS).source_sizes)
    for part, words in (("videomae.", "qv bias False"), ("decoder.", "decoder qv bias False")):
        lost = {key: value for key, value in file.state.items()
                if not (key.startswith(part) and key.endswith(("q_bias", "v_bias")))}  # fmt: skip
        assert len(lost) < len(file.state)
        sizes = convert(lost, "pretrainer", hints=HINTS).source_sizes
        with pytest.raises(ValueError, match=f"weights have {words}, and config.json says True"):
            check_meta(file.meta, sizes)
