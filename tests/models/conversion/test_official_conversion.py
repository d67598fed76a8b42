"""The authors' layout: pre-training and fine-tuned files, in and out."""

import pytest
import torch
from reference.converted_models import clips_and_mask, predict, pretrainer, recognizer
from reference.official_videomae import Pretraining, Trunk

from mmpmg.models.conversion import Hints, convert, detect_format
from mmpmg.models.conversion.fixed_positions import sinusoid

HINTS = Hints(3, 2, 4, 32)
TOKEN = (2, 8, 8)
CLOSE = dict(rtol=1e-5, atol=1e-5)


CLIP = dict(img_size=32, num_frames=4)  # of 2 x 16 x 16: eight tokens, for the large widths
#: Size -> ours, and the authors' widths, depths and heads.
SIZES = {
    "tiny": (dict(), (24, 2, 3, TOKEN), (12, 2, 2)),
    "vit-s": (
        dict(neck=dict(embed_dims=192, depth=4, num_heads=3), arch="small", **CLIP),
        (384, 12, 6, (2, 16, 16)),
        (192, 4, 3),
    ),
    "vit-b": (
        dict(neck=dict(embed_dims=384, depth=4, num_heads=6), arch="base", **CLIP),
        (768, 12, 12, (2, 16, 16)),
        (384, 4, 6),
    ),
}


def authors_pretraining(size="tiny"):
    torch.manual_seed(3)
    _, encoder, decoder = SIZES[size]
    return Pretraining(*encoder, *decoder).eval()


def authors_finetuned(size="tiny"):
    torch.manual_seed(3)
    return Trunk(*SIZES[size][1], classes=5).eval()


def shaken(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("size", SIZES)
def test_pretraining_goes_out_and_in(size):
    ours, theirs = pretrainer(**SIZES[size][0]), authors_pretraining(size)
    clips, mask = clips_and_mask(4, 32, 32 if size == "tiny" else 8)
    out = convert(ours.state_dict(), "videomae-pretraining", hints=HINTS)
    theirs.load_state_dict(out.state, strict=True)
    with torch.no_grad():
        torch.testing.assert_close(theirs(clips, mask), predict(ours, clips, mask)[0], **CLOSE)
        state = shaken(theirs).state_dict()
        back = convert(state, "pretrainer", hints=HINTS)
        ours.load_state_dict(back.state, strict=True)
        torch.testing.assert_close(predict(ours, clips, mask)[0], theirs(clips, mask), **CLOSE)
    again = convert(back.state, "videomae-pretraining", hints=HINTS).state
    assert set(again) == set(state) and all(torch.equal(again[key], state[key]) for key in state)


@pytest.mark.parametrize("size", SIZES)
def test_a_fine_tuned_model_goes_out_and_in(size):
    width, depth, heads, token = SIZES[size][1]
    sizes = dict(embed_dims=width, depth=depth, num_heads=heads, patch_size=token[1])
    ours, theirs = recognizer(**sizes), authors_finetuned(size)
    clips, _ = clips_and_mask(4, 32, 32)
    out = convert(ours.state_dict(), "videomae-finetuned", hints=HINTS)
    theirs.load_state_dict(out.state, strict=True)

    def scores():
        return ours.cls_head(ours.backbone(clips))

    with torch.no_grad():
        torch.testing.assert_close(theirs(clips), scores(), **CLOSE)
        state = shaken(theirs).state_dict()
        back = convert(state, "recognizer", hints=HINTS)
        ours.load_state_dict(back.state, strict=True)
        torch.testing.assert_close(scores(), theirs(clips), **CLOSE)
    again = convert(back.state, "videomae-finetuned", hints=HINTS).state
    assert set(again) == set(state) and all(torch.equal(again[key], state[key]) for key in state)


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "backbone.", "module._orig_mod."])
def test_wrappers_come_off(prefix):
    state = authors_finetuned().state_dict()
    wrapped = {f"{prefix}{key}": value for key, value in state.items()}
    assert detect_format(wrapped) == "videomae-finetuned"
    plain, unwrapped = (convert(s, "recognizer", hints=HINTS).state for s in (state, wrapped))
    assert set(plain) == set(unwrapped)
    assert all(torch.equal(plain[key], unwrapped[key]) for key in plain)


def test_an_encoder_of_the_authors_pretraining_loads_into_recognition():
    theirs = authors_pretraining()
    encoder = convert(theirs.state_dict(), "encoder", hints=HINTS)
    ours = recognizer()
    result = ours.load_state_dict(encoder.state, strict=False)
    assert result.missing_keys == ["cls_head.fc_cls.weight", "cls_head.fc_cls.bias"]
    assert not result.unexpected_keys
    clips, _ = clips_and_mask(4, 32, 32)
    with torch.no_grad():
        theirs.encoder.norm = torch.nn.Identity()
        mean = theirs.encoder(clips).mean(1)
        expected = torch.nn.functional.layer_norm(mean, (24,), eps=1e-6)
        torch.testing.assert_close(ours.backbone(clips), expected, **CLOSE)


@pytest.mark.parametrize(
    ("source", "key"),
    [("videomae-pretraining", "pos_embed"), ("hf-pretraining", "position_embeddings")],
)
def test_positions_of_a_decoder_are_the_fixed_ones_or_refused(source, key):
    """Forks register them, so that they are in their files."""
    state = convert(pretrainer().state_dict(), source, hints=HINTS).state
    fixed = sinusoid(32, 12)
    conversion = convert({**state, key: fixed}, "pretrainer", hints=HINTS)
    (row,) = [row for row in conversion.rows if row.source == key]
    assert (row.status, row.target) == ("unexpected", "")
    assert row.reason == "fixed positions, which pretrainer computes exactly so"
    rounded = convert({**state, key: fixed.bfloat16()}, "pretrainer", hints=HINTS).table()
    assert "which pretrainer computes; they differ by " in rounded
    with pytest.raises(ValueError, match="the decoder's positions were learnt"):
        convert({**state, key: fixed + 0.5}, "pretrainer", hints=HINTS)
    with pytest.raises(ValueError, match=r"\(1, 32, 24\), no table of positions for width 12"):
        convert({**state, key: sinusoid(32, 24)}, "pretrainer", hints=HINTS)


def test_learnt_positions_are_carried():
    ours = recognizer("VisionTransformer", use_learnable_pos_emb=True)
    out = convert(ours.state_dict(), "videomae-finetuned", hints=HINTS)
    assert torch.equal(out.state["pos_embed"], ours.backbone.pos_embed)
    back = convert(out.state, "recognizer", hints=HINTS).state
    assert torch.equal(back["backbone.pos_embed"], ours.backbone.pos_embed)
    with pytest.raises(ValueError, match="learnt"):
        convert(out.state, "hf-classification", hints=HINTS)


def test_bare_encoders_of_mmaction2_are_known():
    backbone = recognizer("VisionTransformer").backbone.state_dict()
    assert detect_format(backbone) == "encoder"
    converted = convert(backbone, "videomae-finetuned", hints=HINTS)
    assert torch.equal(
        converted.state["blocks.1.mlp.fc2.weight"], backbone["blocks.1.mlp.layers.1.weight"]
    )
    assert set(converted.keys("missing")) == {"head.weight", "head.bias"}


def test_files_of_mmaction2_need_not_hold_positions():
    ours = recognizer("VisionTransformer")
    state = ours.state_dict()
    bare = {key: value for key, value in state.items() if key != "backbone.pos_embed"}
    bare["data_preprocessor.mean"] = torch.zeros(3, 1, 1)
    out = convert(bare, "hf-classification", hints=HINTS)
    whole = convert(state, "hf-classification", hints=HINTS).state
    assert set(out.state) == set(whole)
    assert out.keys("unexpected") == ["data_preprocessor.mean"]
    back = convert(bare, "recognizer", hints=HINTS).state
    assert torch.equal(back["backbone.pos_embed"], state["backbone.pos_embed"])
