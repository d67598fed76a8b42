"""Weights go to Hugging Face and come back: its own loading, its outputs, its loss."""

import cv2
import pytest
import torch
from reference.converted_models import clips_and_mask, predict, pretrainer, recognizer

from mmpmg.engine.hugging_face_models import write_folder
from mmpmg.models.conversion import Hints, convert
from mmpmg.models.conversion.hugging_face import hints_of_config
from mmpmg.models.weight_files import read_weights

transformers = pytest.importorskip("transformers", reason="pip install mmpmg[test]")
CLOSE = dict(rtol=1e-5, atol=1e-5)
CLIP = dict(img_size=32, num_frames=4)  # 2 x 2 x 2 tokens of 2 x 16 x 16
VIT = {
    "small": dict(neck=dict(embed_dims=192, depth=4, num_heads=3), arch="small", **CLIP),
    "base": dict(neck=dict(embed_dims=384, depth=4, num_heads=6), arch="base", **CLIP),
}
HINTS = Hints(3, 2, 4, 32)  # of TINY


def load(name, folder):
    """from_pretrained, with nothing missing, left over or of another shape."""
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    return model.eval()


def like_the_authors(model):
    """Set the one norm that no config reaches (torch's 1e-5) to the authors' 1e-6."""
    for norm in (
        getattr(getattr(model, "decoder", None), "norm", None),
        getattr(model, "fc_norm", 0),
    ):
        if norm:
            norm.eps = 1e-6
    return model


def same(state, other):
    return set(state) == set(other) and all(torch.equal(state[key], other[key]) for key in state)


@pytest.fixture(scope="module", params=list(VIT))
def pretraining(request):
    """A ViT of VideoMAE's size on clips of eight tokens."""
    return pretrainer(**VIT[request.param])


def test_ours_in_hugging_face_and_back(pretraining, tmp_path):
    state = pretraining.state_dict()
    conversion = convert(state, "hf-pretraining", hints=Hints(num_frames=4))
    write_folder(tmp_path, conversion.state, conversion.sizes, "hf-pretraining", {})
    theirs = load("VideoMAEForPreTraining", tmp_path)
    assert theirs.config.qv_bias
    for ours, layers in (
        (pretraining.backbone.blocks, theirs.videomae.encoder.layer),
        (pretraining.necks["pixel"].blocks, theirs.decoder.decoder_layers),
    ):
        for block, layer in zip(ours, layers, strict=True):
            attention = layer.attention.attention
            assert torch.equal(attention.query.bias, block.attn.q_bias)
            assert torch.equal(attention.value.bias, block.attn.v_bias)
            assert block.attn.q_bias.any() and attention.key.bias is None
    clips, mask = clips_and_mask(4, 32, 8)
    predictions, loss = predict(pretraining, clips, mask)
    with torch.no_grad():
        built = theirs(clips.transpose(1, 2), bool_masked_pos=mask)
        told = like_the_authors(theirs)(clips.transpose(1, 2), bool_masked_pos=mask)
    torch.testing.assert_close(told.logits, predictions, **CLOSE)
    torch.testing.assert_close(told.loss, loss, **CLOSE)
    torch.testing.assert_close(built.loss, loss, **CLOSE)

    file = read_weights(tmp_path)
    back = convert(file.state, "pretrainer", hints=hints_of_config(file.meta["config"]))
    assert same(back.state, state)


@pytest.mark.parametrize("size", list(VIT))
def test_hugging_face_in_ours_and_back(size, tmp_path):
    sizes = VIT[size]
    width, heads = dict(small=(384, 6), base=(768, 12))[size]
    torch.manual_seed(0)
    theirs = transformers.VideoMAEForPreTraining(
        transformers.VideoMAEConfig(
            image_size=32, num_frames=4, hidden_size=width, num_attention_heads=heads,
            intermediate_size=4 * width, decoder_hidden_size=sizes["neck"]["embed_dims"],
            decoder_num_attention_heads=sizes["neck"]["num_heads"],
            decoder_intermediate_size=4 * sizes["neck"]["embed_dims"],
            layer_norm_eps=1e-6, use_mean_pooling=False,
        )
    ).eval()  # fmt: skip
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    theirs.save_pretrained(tmp_path)
    file = read_weights(tmp_path)
    conversion = convert(file.state, "pretrainer", hints=hints_of_config(file.meta["config"]))
    ours = pretrainer(**sizes)
    ours.load_state_dict(conversion.state, strict=True)
    clips, mask = clips_and_mask(4, 32, 8)
    predictions, loss = predict(ours, clips, mask)
    with torch.no_grad():
        told = like_the_authors(theirs)(clips.transpose(1, 2), bool_masked_pos=mask)
    torch.testing.assert_close(predictions, told.logits, **CLOSE)
    torch.testing.assert_close(loss, told.loss, **CLOSE)
    again = convert(conversion.state, "hf-pretraining", hints=Hints(num_frames=4)).state
    assert same(again, file.state)
    # A model's own keys, which transformers 5 spells otherwise than its files.
    hints = Hints(num_frames=4, img_size=32)
    spelled = convert(theirs.state_dict(), "pretrainer", hints=hints).state
    assert set(theirs.state_dict()) != set(file.state)
    assert same(spelled, conversion.state)


@pytest.mark.parametrize("kind", ["MaskedVisionTransformer", "VisionTransformer"])
def test_a_recognizer_of_ours_or_mmaction2s_classifies_alike_there(kind, tmp_path):
    ours = recognizer(kind)
    state = ours.state_dict()
    conversion = convert(state, "hf-classification", hints=HINTS)
    write_folder(tmp_path, conversion.state, conversion.sizes, "hf-classification", {})
    theirs = load("VideoMAEForVideoClassification", tmp_path)
    norms = [part for part in theirs.videomae.modules() if isinstance(part, torch.nn.LayerNorm)]
    assert norms and all(norm.eps == 1e-6 for norm in norms)
    like_the_authors(theirs)
    assert theirs.config.num_labels == 5
    clips, _ = clips_and_mask(4, 32, 32)
    with torch.no_grad():
        scores = ours.cls_head(ours.backbone(clips))
        torch.testing.assert_close(theirs(clips.transpose(1, 2)).logits, scores, **CLOSE)
    back = convert(read_weights(tmp_path).state, "recognizer", hints=HINTS)
    assert same(back.state, state)


@pytest.mark.parametrize("to", ["hf-model", "hf-classification"])
def test_a_pretrained_encoder_leaves_without_its_decoder(to, tmp_path):
    ours = pretrainer()
    conversion = convert(ours.state_dict(), to, hints=HINTS)
    write_folder(tmp_path, conversion.state, conversion.sizes, to, {})
    clips, _ = clips_and_mask(4, 32, 32)
    with torch.no_grad():
        if to == "hf-model":
            theirs = load("VideoMAEModel", tmp_path)
            expected = ours.extract_feat(clips)
        else:
            theirs = transformers.VideoMAEForVideoClassification.from_pretrained(tmp_path).videomae
            ours.backbone.norm = torch.nn.Identity()
            expected = ours.extract_feat(clips)
        tokens = theirs(clips.transpose(1, 2)).last_hidden_state
    torch.testing.assert_close(tokens, expected, **CLOSE)
    left = conversion.keys("unexpected")
    assert "necks.pixel.mask_token" in left and "heads.pixel.projection.weight" in left
    if to == "hf-model":
        assert not conversion.keys("missing")
        back = convert(conversion.state, "pretrainer", hints=HINTS).state
        assert all(torch.equal(back[key], ours.state_dict()[key]) for key in back)
    else:
        assert "backbone.norm.weight" in left
        assert set(conversion.keys("missing")) == {
            "fc_norm.weight", "fc_norm.bias", "classifier.weight", "classifier.bias"
        }  # fmt: skip


def test_a_model_without_biases_says_so(tmp_path):
    ours = recognizer(qkv_bias=False)
    conversion = convert(ours.state_dict(), "hf-classification", hints=HINTS)
    assert not [key for key in conversion.state if key.endswith(("q_bias", "v_bias"))]
    write_folder(tmp_path, conversion.state, conversion.sizes, "hf-classification", {})
    assert not load("VideoMAEForVideoClassification", tmp_path).config.qv_bias


def test_learnt_positions_have_no_place_there():
    ours = recognizer("VisionTransformer", use_learnable_pos_emb=True)
    with pytest.raises(ValueError, match="pos_embed was learnt.*--to videomae-finetuned"):
        convert(ours.state_dict(), "hf-classification", hints=HINTS)


def test_the_folder_says_how_frames_are_normalised(tmp_path):
    ours = recognizer()
    conversion = convert(ours.state_dict(), "hf-classification", hints=HINTS)
    write_folder(tmp_path, conversion.state, conversion.sizes, "hf-classification", {})
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    frames = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    told = processor(list(frames.numpy()), return_tensors="pt")["pixel_values"][0]
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    expected = ((frames - mean) / std).permute(0, 3, 1, 2)
    torch.testing.assert_close(told, expected, rtol=1e-5, atol=1e-5)
    # Smaller frames are resized bilinearly, as by OpenCV, and cut in the middle.
    small = torch.randint(0, 256, (16, 24, 3), dtype=torch.uint8).numpy()
    options = dict(do_normalize=False, do_rescale=False, return_tensors="pt")
    told = processor([small], **options)["pixel_values"][0, 0].permute(1, 2, 0)
    expected = torch.from_numpy(cv2.resize(small, (48, 32), interpolation=cv2.INTER_LINEAR))
    assert (told.float() - expected[:, 8:40].float()).abs().max() <= 1
