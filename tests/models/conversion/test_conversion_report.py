"""Nothing is dropped in silence, and other architectures are refused in words that help."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from reference.converted_models import pretrainer, recognizer

from mmpmg.engine.conversion_check import check_conversion
from mmpmg.models.conversion import FORMATS, Hints, convert, detect_format
from mmpmg.models.conversion.sizes import sizes_of

HINTS = Hints(3, 2, 4, 32)
MOTION = dict(
    motion=dict(
        neck=dict(type="MAEDecoder", embed_dims=12, depth=1, num_heads=2),
        head=dict(type="MaskedRegressionHead", target=dict(type="TemporalDifferenceTarget")),
    )
)
SHARED = dict(motion=dict(MOTION["motion"], neck="pixel"))


@pytest.fixture(scope="module")
def sources():
    """A state dict of every format."""
    ours = pretrainer().state_dict()
    classified = recognizer().state_dict()
    states = dict(pretrainer=ours, recognizer=classified)
    for to in FORMATS:
        task = classified if to in ("hf-classification", "videomae-finetuned") else ours
        states.setdefault(to, convert(task, to, hints=HINTS).state)
    return states


def spread(keys):
    """Undo the joint spelling of q, k and v."""
    for key in filter(None, keys):
        if "{query,key,value}" in key:
            yield from (
                key.replace("{query,key,value}", part) for part in ("query", "key", "value")
            )
        else:
            yield key


@pytest.mark.parametrize("source", FORMATS)
def test_every_key_of_both_sides_has_exactly_one_row(sources, source):
    assert detect_format(sources[source]) == source
    for to in FORMATS:
        if to.endswith("-pretraining") and "pretrain" not in source:
            with pytest.raises(ValueError, match="has a decoder and the source has none"):
                convert(sources[source], to, hints=HINTS)
            continue
        conversion = convert(sources[source], to, hints=HINTS)
        assert sorted(spread(row.source for row in conversion.rows)) == sorted(sources[source])
        told = sorted(spread(row.target for row in conversion.rows))
        fresh = {row.target for row in conversion.rows if row.reason.startswith(("starts fresh i",
                 "starts fresh, w", "the decoder"))}  # fmt: skip
        assert sorted({*told} - fresh) == sorted(conversion.state)
        assert len(told) == len(set(told))
        for row in conversion.rows:
            assert row.reason or row.status == "loaded", row
        unchanged = [row for row in conversion.rows if row.source and row.status == "loaded"]
        assert unchanged and all(
            torch.equal(conversion.state[row.target], sources[source][row.source])
            for row in unchanged
            if "{" not in row.source + row.target
        )


def test_the_table_has_a_line_for_each_kind_of_weight(sources):
    lines = convert(sources["pretrainer"], "hf-model", hints=HINTS).table().splitlines()
    assert lines[0] == "pretrainer -> hf-model: 30 loaded, 0 missing, 33 unexpected, 0 resized"
    (qkv,) = [line for line in lines if "attn.qkv.weight" in line and "loaded" in line]
    assert "attention.attention.{query,key,value}.weight (x 2)" in qkv
    recognition = convert(sources["pretrainer"], "hf-classification", hints=HINTS).table()
    statuses = [line.split()[0] for line in recognition.splitlines()[1:]]
    assert statuses == sorted(statuses, key=["loaded", "missing", "unexpected"].index)
    fresh = convert(sources["hf-model"], "pretrainer", hints=HINTS).table()
    assert "  missing    necks.*, heads.*: the decoder starts fresh" in fresh.splitlines()
    (positions,) = [line for line in lines if "pos_embed" in line]
    assert positions.endswith("fixed positions, which hf-model computes exactly so")


@pytest.mark.parametrize("branches", [MOTION, SHARED], ids=["two decoders", "one decoder"])
def test_of_two_branches_one_is_named(branches):
    state = pretrainer(branches=branches).state_dict()
    with pytest.raises(ValueError, match=r"2 branches \(motion, pixel\).*--branch pixel"):
        convert(state, "hf-pretraining", hints=HINTS)
    with pytest.raises(ValueError, match="--branch flow: the branches are motion, pixel"):
        convert(state, "hf-pretraining", branch="flow", hints=HINTS)
    pixel = convert(state, "hf-pretraining", branch="pixel", hints=HINTS)
    assert torch.equal(pixel.state["decoder.head.bias"], state["heads.pixel.projection.bias"])
    assert torch.equal(pixel.state["mask_token"], state["necks.pixel.mask_token"])
    left = pixel.keys("unexpected")
    assert {key for key in state if ".motion." in key} <= set(left)
    # The whole pretrainer keeps both.
    whole = convert(state, "pretrainer", hints=HINTS).state
    assert set(whole) == set(state) and all(torch.equal(whole[key], state[key]) for key in state)


def test_a_branch_with_a_shared_decoder_takes_it_along():
    state = pretrainer(branches=SHARED).state_dict()
    motion = convert(state, "hf-pretraining", branch="motion", hints=HINTS)
    assert torch.equal(motion.state["decoder.head.bias"], state["heads.motion.projection.bias"])
    assert torch.equal(motion.state["mask_token"], state["necks.pixel.mask_token"])
    assert set(motion.keys("unexpected")) >= {"heads.pixel.projection.bias"}


def test_a_branch_whose_decoder_is_one_of_several_others_is_refused():
    flow = dict(MOTION["motion"], neck="pixel")
    state = pretrainer(branches=dict(MOTION, flow=flow)).state_dict()
    with pytest.raises(ValueError, match="flow has the decoder of another .motion or pixel., and"):
        convert(state, "hf-pretraining", branch="flow", hints=HINTS)
    for to in ("encoder", "videomae-finetuned"):  # which have no decoder
        alone = convert(state, to, branch="flow", hints=HINTS)
        assert alone.keys("loaded")
        assert check_conversion(state, alone, None, None).passed
    for branch in ("motion", "pixel"):
        converted = convert(state, "hf-pretraining", branch=branch, hints=HINTS).state
        assert torch.equal(converted["mask_token"], state[f"necks.{branch}.mask_token"])
    assert set(convert(state, "pretrainer", hints=HINTS).state) == set(state)


def test_a_branch_that_predicts_no_pixels_is_refused():
    state = pretrainer(branches=MOTION).state_dict()
    for end in ("weight", "bias"):  # of a target with two numbers for every pixel
        key = f"heads.motion.projection.{end}"
        state[key] = torch.cat((state[key], state[key]))[: 2 * 2 * 8 * 8]
    with pytest.raises(
        ValueError, match="predicts 256 numbers for a token.*are 384: .*PixelTarget"
    ):
        convert(state, "hf-pretraining", branch="motion", hints=HINTS)
    # Ours may, also for clips of another size.
    longer = convert(state, "pretrainer", hints=HINTS, grid=(4, 4, 4))
    assert set(longer.state) == set(state) and longer.keys("resized") == ["backbone.pos_embed"]


def foreign(config):
    init_default_scope("mmaction")
    return MODELS.build(config).state_dict()


ARCH = dict(embed_dims=12, depths=(1, 1, 1, 1), num_heads=(1, 2, 3, 4))
OTHERS = {
    "swin": (
        lambda: foreign(dict(type="SwinTransformer3D", arch=ARCH, pretrained2d=False)),
        "a Swin.*export_encoder",
    ),
    "resnet": (
        lambda: foreign(dict(type="ResNet3dSlowOnly", depth=18, base_channels=4)),
        r"a convolutional network .*conv1.conv.weight",
    ),
    "timesformer": (
        lambda: foreign(
            dict(type="TimeSformer", num_frames=2, img_size=32, patch_size=16, embed_dims=24,
                 num_heads=2, num_transformer_layers=1)
        ),
        "a TimeSformer",
    ),
    "mvit": (
        lambda: foreign(
            dict(type="MViT", arch=dict(embed_dims=12, num_layers=1, num_heads=1,
                 downscale_indices=[]), spatial_size=32, temporal_size=4)
        ),
        "an MViT",
    ),
    "tokenizer": (
        lambda: foreign(dict(type="VQVAE3D", num_codes=16, code_dim=6, channels=8, layers=1)),
        "a tokenizer.*CodebookTarget.checkpoint",
    ),
    "image model of Hugging Face": (
        lambda: {"vit.embeddings.patch_embeddings.projection.weight": torch.zeros(4, 3, 2, 2)},
        "timm",
    ),
    "image model of mmpretrain": (
        lambda: {"backbone.patch_embed.projection.weight": torch.zeros(4, 3, 2, 2)},
        "a ViT for images.*timm",
    ),
    "anything else": (lambda: {"linear.weight": torch.ones(2)}, "it holds .*linear.weight. Known"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_architectures_are_refused(name):
    make, words = OTHERS[name]
    state = make()
    for wrapped in (state, {f"backbone.{key}": value for key, value in state.items()}):
        with pytest.raises(ValueError, match=words):
            convert(wrapped, "hf-model")


def test_a_vit_of_another_make_is_refused(sources):
    state = sources["videomae-finetuned"]
    for key, words in (
        ("blocks.0.gamma_1", "scales its layers"),
        ("blocks.0.attn.scale", "compares angles"),
        ("blocks.0.attn.qkv.bias", "keys have a bias"),
        ("cls_token", "class token"),
        ("blocks.1.extra.weight", "nothing here has a place for blocks.1.extra.weight"),
    ):
        with pytest.raises(ValueError, match=words):
            convert({**state, key: torch.ones(24)}, "recognizer", hints=HINTS)


def test_pieces_of_several_models_are_refused(sources):
    state = sources["hf-pretraining"]
    wide = {**state, "videomae.encoder.layer.1.output.dense.weight": torch.zeros(48, 96)}
    with pytest.raises(ValueError, match=r"\(48, 96\) where width 24, 2 blocks.*\(24, 96\)"):
        convert(wide, "pretrainer", hints=HINTS)
    positions = {**state, "videomae.embeddings.position_embeddings": torch.zeros(1, 32, 12)}
    with pytest.raises(ValueError, match=r"\(1, 32, 12\), no table of positions for width 24"):
        convert(positions, "pretrainer", hints=HINTS)
    cut = {key: v for key, v in state.items() if "layer.1.attention.attention.key" not in key}
    with pytest.raises(ValueError, match="lacks its key"):
        convert(cut, "pretrainer", hints=HINTS)
    twice = "videomae.encoder.layer.1.attention.attention."
    both = {
        **state,
        f"{twice}query.bias": state[f"{twice}q_bias"] + 1,
    }  # as files and as models say
    with pytest.raises(ValueError, match=r"\.q_bias and .*query\.bias are the same weight twice"):
        convert(both, "pretrainer", hints=HINTS)
    cut = {key: v for key, v in state.items() if "layer.1.intermediate.dense.bias" not in key}
    with pytest.raises(ValueError, match="lack .*blocks.1.mlp.layers.0.0.bias"):
        convert(cut, "pretrainer", hints=HINTS)


def test_a_linear_probe_keeps_its_statistics_or_stays():
    init_default_scope("mmaction")
    state = recognizer().state_dict()
    state["cls_head.feature_mean"] = torch.ones(24)
    with pytest.raises(ValueError, match="LinearProbeHead.*--to encoder or hf-model"):
        convert(state, "hf-classification", hints=HINTS)
    assert "cls_head.feature_mean" in convert(state, "hf-model", hints=HINTS).keys("unexpected")
    assert "cls_head.feature_mean" in convert(state, "recognizer", hints=HINTS).state


def test_a_table_of_positions_tells_the_size_of_the_frames():
    state = recognizer().state_dict()  # 2 x 4 x 4 tokens of 2 x 8 x 8
    assert sizes_of(state, Hints(num_frames=4)).img_size == 32
    assert sizes_of(state, Hints(img_size=32)).num_frames == 4
    assert sizes_of(state, Hints(num_frames=16, img_size=16)).grid == (8, 2, 2)
    with pytest.raises(ValueError, match="32 positions are no grid.*--num-frames"):
        sizes_of(state, Hints(num_frames=6))
    with pytest.raises(ValueError, match="no grid"):
        sizes_of(state, Hints(num_frames=4, img_size=64))
