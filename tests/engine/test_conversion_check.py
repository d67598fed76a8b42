"""What the command of conversions refuses, tells of guesses, and notices when it checks."""

import json

import pytest
import torch
from reference.converted_models import TINY, pretrainer, recognizer

from mmpmg.engine import checkpoint_conversion
from mmpmg.engine.checkpoint_conversion import (
    ConversionError,
    ConversionOptions,
    convert_checkpoint,
)
from mmpmg.engine.conversion_check import Check, Difference, check_conversion
from mmpmg.engine.hugging_face_models import load_folder, write_folder
from mmpmg.models.checkpoint_fit import check_file
from mmpmg.models.conversion import Hints, convert
from mmpmg.models.conversion.file_meta import classes_of_meta
from mmpmg.models.weight_files import read_weights, write_weights

HINTS = Hints(3, 2, 4, 32)
KNOWN = dict(heads=3, decoder_heads=2, num_frames=4, image_size=32)


def run(source, out, tell=None, **options):
    return convert_checkpoint(ConversionOptions(str(source), str(out), **options), tell)


@pytest.fixture
def finetuned(tmp_path):
    return write_weights(tmp_path / "finetuned.pth", recognizer().state_dict())


def test_nan_is_not_equal_and_nothing_compared_is_said():
    nan = float("nan")
    for largest, passed in ((nan, False), (9e-5, True), (2e-4, False)):  # 1e-4, as the page says
        assert Check([Difference("scores", largest, largest, 1.0)], []).passed == passed
    state = recognizer().state_dict()
    for key in ("backbone.blocks.1.norm1.bias", "cls_head.fc_cls.bias"):
        broken = {**state, key: torch.full_like(state[key], nan)}
        check = check_conversion(
            broken, convert(broken, "videomae-finetuned", hints=HINTS), None, None
        )
        assert not check.passed and "NOT equal" in check.text()


def test_a_weight_that_changes_or_is_lost_on_the_way_back_is_noticed():
    state = recognizer().state_dict()
    conversion = convert(state, "videomae-finetuned", hints=HINTS)
    assert check_conversion(state, conversion, None, None).passed
    conversion.state["blocks.1.mlp.fc1.bias"] = conversion.state["blocks.1.mlp.fc1.bias"] + 0.5
    check = check_conversion(state, conversion, None, None)
    assert check.differences[0].largest == pytest.approx(0.5, abs=1e-6) and not check.passed
    conversion = convert(state, "videomae-finetuned", hints=HINTS)
    del conversion.state["head.bias"]
    check = check_conversion(state, conversion, None, None)
    assert not check.passed and "cls_head.fc_cls.bias does not come back" in check.text()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights_are_compared_in_float32(dtype, tmp_path):
    pytest.importorskip("transformers")
    state = {key: value.to(dtype) if value.is_floating_point() else value
             for key, value in pretrainer().state_dict().items()}  # fmt: skip
    source = tmp_path / "half.pth"
    torch.save(state, source)
    _, check = run(source, tmp_path / "hf", check=True, **KNOWN)
    assert check.passed and len(check.differences) >= 3
    fresh = convert(read_weights(source).state, "encoder", hints=HINTS)
    assert {value.dtype for value in fresh.state.values()} == {dtype}  # the new norm's, too
    config = json.loads((tmp_path / "hf/config.json").read_text())
    (tmp_path / "hf/config.json").write_text(json.dumps({**config, "dtype": str(dtype)[6:]}))
    _, check = run(tmp_path / "hf", tmp_path / "back.pth", check=True)  # loaded there in half
    assert check.passed and len(check.differences) >= 3
    assert max(row.largest for row in check.differences) <= 1e-5


def test_mlps_of_other_widths_and_targets_that_are_not_normalised_are_compared(tmp_path):
    pytest.importorskip("transformers")
    neck = dict(embed_dims=12, depth=2, num_heads=2, mlp_ratio=2.0)
    ours = pretrainer(neck=neck, **{**TINY, "mlp_ratio": 3.0})
    said = dict(conversion=HINTS._replace(normalize=False)._asdict())
    source = write_weights(tmp_path / "plain.pth", ours.state_dict(), said)
    for file, out in ((source, tmp_path / "hf"), (tmp_path / "hf", tmp_path / "back.pth")):
        _, check = run(file, out, check=True)
        assert check.passed
        assert {"predictions", "pre-training loss"} <= {row.what for row in check.differences}


def test_options_that_are_no_numbers_and_a_file_over_itself_are_refused(finetuned, tmp_path):
    for name in (*KNOWN, "to_num_frames", "to_image_size"):
        for value in (0, -4):
            with pytest.raises(ConversionError, match=f"--{name.replace('_', '-')} {value}: "):
                run(finetuned, tmp_path / "out", **{**KNOWN, name: value})
    before = finetuned.read_bytes()
    (tmp_path / "link.pth").symlink_to(finetuned)
    for out in (finetuned, tmp_path / "link.pth"):
        with pytest.raises(ConversionError, match="written over what is read"):
            run(finetuned, out, to="encoder", **KNOWN)
    assert finetuned.read_bytes() == before and not (tmp_path / "out").exists()
    run(finetuned, tmp_path / "hf", **KNOWN)
    (tmp_path / "link").symlink_to(tmp_path / "hf")
    before = (tmp_path / "hf/model.safetensors").read_bytes()
    inside = dict(to="recognizer", **KNOWN)
    for out, how in ((tmp_path / "link", dict(to="hf-model")),
                     (tmp_path / "hf/model.safetensors", inside)):  # fmt: skip
        with pytest.raises(ConversionError, match="written over what is read"):
            run(tmp_path / "hf", out, **how)
    assert (tmp_path / "hf/model.safetensors").read_bytes() == before


def test_heads_by_the_width_are_told(tmp_path):
    state = recognizer(embed_dims=192).state_dict()
    source = write_weights(tmp_path / "wide.pth", state)
    told = []
    clips = dict(num_frames=4, image_size=32, to="encoder")
    run(source, tmp_path / "guessed.pth", told.append, **clips)
    assert "heads 3 (by the width; nothing said so)" in told[0]
    told.clear()
    run(source, tmp_path / "said.pth", told.append, heads=3, **clips)
    assert "nothing said so" not in told[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda s: s.pop("cls_head.fc_cls.bias"), "fc_cls.bias"),
     (lambda s: s.update({"backbone.foo": torch.ones(1)}), "foo")],
    ids=["no bias", "another weight"],
)  # fmt: skip
def test_models_that_cannot_be_built_say_so_in_a_sentence(change, words, tmp_path):
    state = recognizer().state_dict()
    change(state)
    source = write_weights(tmp_path / "odd.pth", state)
    with pytest.raises(ConversionError, match=f"was written, but --check cannot.*{words}"):
        run(source, tmp_path / "out.pth", to="recognizer", check=True, **KNOWN)


@pytest.mark.parametrize("lost", ["necks.pixel.mask_token", "necks.pixel.norm.bias", "heads."])
def test_an_encoder_leaves_whatever_its_decoder_lacks(lost, tmp_path):
    pytest.importorskip("transformers")
    state = pretrainer().state_dict()
    state = {key: value for key, value in state.items() if not key.startswith(lost)}
    source = write_weights(tmp_path / "part.pth", state)
    _, check = run(source, tmp_path / "hf", to="hf-model", check=True, **KNOWN)
    assert check.passed and check.differences


def test_a_pretraining_without_its_closing_norm_is_no_pretrainer_of_ours():
    state = convert(pretrainer().state_dict(), "hf-pretraining", hints=HINTS).state
    bare = {key: value for key, value in state.items() if "videomae.layernorm" not in key}
    with pytest.raises(ValueError, match="use_mean_pooling=True.*--to encoder"):
        convert(bare, "pretrainer", hints=HINTS)
    assert convert(bare, "encoder", hints=HINTS).keys("loaded")


def test_names_of_classes_go_and_come_back_and_options_go_before_a_config(tmp_path):
    names = ["clap", "wave", "nod", "jump", "run"]
    source = tmp_path / "named.pth"
    torch.save(
        dict(state_dict=recognizer().state_dict(), meta=dict(dataset_meta=dict(classes=names))),
        source,
    )
    run(source, tmp_path / "hf", **KNOWN)
    config = json.loads((tmp_path / "hf/config.json").read_text())
    assert config["id2label"] == {str(number): name for number, name in enumerate(names)}
    assert config["label2id"] == {name: number for number, name in enumerate(names)}
    told, _ = run(tmp_path / "hf", tmp_path / "back.pth", heads=4)
    assert told.sizes.heads == 4  # the option, not the 3 of config.json
    assert read_weights(tmp_path / "back.pth").meta["classes"] == names
    run(tmp_path / "hf", tmp_path / "encoder.pth", to="encoder")
    assert "classes" not in read_weights(tmp_path / "encoder.pth").meta
    gap = dict(config=dict(id2label={"0": "clap", "2": "nod"}))
    for meta in (gap, dict(classes=["a", "a"]), dict(config=dict(id2label={"0": "LABEL_0"})), {}):
        assert classes_of_meta(meta) is None


@pytest.mark.parametrize("source", ["videomae-pretraining", "hf-pretraining"])
@pytest.mark.parametrize("to", ["encoder", "recognizer", "videomae-finetuned"])
def test_what_a_check_of_an_encoder_leaves_out_is_said(source, to, tmp_path):
    """The decoder and the closing norm stay behind, and a fresh norm is nobody's."""
    pytest.importorskip("transformers")
    state = convert(pretrainer().state_dict(), source, hints=HINTS).state
    file = write_weights(tmp_path / "pretrained.pth", state)
    _, check = run(file, tmp_path / "out.pth", to=to, check=True, **KNOWN)
    assert check.passed and check.differences
    encoder = [key for key in state if key.startswith(("encoder.", "videomae."))]
    left = f"{len(state) - len(encoder)} (of the decoder, which {to} has not)"
    text = check.text()
    assert "the source alone has them: " in text and left in text
    assert "2 (closes pre-training; recognition closes with fc_norm" in text
    assert "the target alone has them: 2 (starts fresh: weight 1, bias 0)" in text
    compared = {row.what for row in check.differences}
    if "videomae" in source or "videomae" in to:  # all of the encoder but its closing norm
        assert compared == {f"{len(encoder) - 2} of {len(state)} weights, there and back"}
    else:
        assert compared == {"tokens before the closing norm"}


def test_faults_of_our_own_are_not_worded_as_the_users(finetuned, tmp_path, monkeypatch):
    for fault in (KeyError("x"), TypeError("x"), AssertionError("x"), RuntimeError("x")):

        def fails(*_, fault=fault):
            raise fault

        monkeypatch.setattr(checkpoint_conversion, "check_conversion", fails)
        with pytest.raises(type(fault)):
            run(finetuned, tmp_path / "out.pth", to="encoder", check=True, **KNOWN)


def test_a_folder_that_transformers_refuses_is_the_folders_fault(finetuned, tmp_path):
    pytest.importorskip("transformers")
    run(finetuned, tmp_path / "hf", **KNOWN)
    config = json.loads((tmp_path / "hf/config.json").read_text())
    (tmp_path / "hf/config.json").write_text(json.dumps({**config, "hidden_dropout_prob": "much"}))
    with pytest.raises(ConversionError, match=r"ForVideoClassification.from_pretrained.*fails: "):
        run(tmp_path / "hf", tmp_path / "back.pth", check=True)


@pytest.mark.parametrize("how", ["missing", "left over", "of another shape"])
def test_a_folder_that_does_not_fill_transformers_model_is_refused(how, tmp_path):
    pytest.importorskip("transformers")
    conversion = convert(recognizer().state_dict(), "hf-classification", hints=HINTS)
    state, key = dict(conversion.state), "videomae.encoder.layer.1.output.dense.bias"
    if how == "missing":
        del state[key]
    elif how == "left over":
        state = {**state, "videomae.layernorm.bias": torch.ones(24)}
    else:
        state[key] = torch.ones(25)
    write_folder(tmp_path, state, conversion.sizes, "hf-classification", {})
    words = "fails: .*mismatch" if "shape" in how else "1 weights are missing or left over"
    with pytest.raises(ValueError, match=words):
        load_folder(tmp_path, "hf-classification", state)


def test_an_encoder_that_does_not_pool_says_what_its_recipe_needs(tmp_path):
    told = []
    for pools in (True, False):
        state = recognizer(use_mean_pooling=pools).state_dict()
        source = write_weights(tmp_path / f"{pools}.pth", state)
        run(source, tmp_path / f"out-{pools}.pth", told.append, to="recognizer", **KNOWN)
        ours = recognizer(use_mean_pooling=not pools)
        with pytest.raises(ValueError, match=f"give model.backbone.use_mean_pooling={pools}"):
            check_file(ours, str(tmp_path / f"out-{pools}.pth"), whole=True)
    assert ["use_mean_pooling=False" in text for text in told] == [False, True]
    # It classifies by one token behind that norm, as MMAction2's does, and Hugging Face's.
    for to, out in (("recognizer", "again.pth"), ("hf-classification", "hf")):
        _, check = run(source, tmp_path / out, to=to, check=True, **KNOWN)
        assert check.passed and "class scores" in {row.what for row in check.differences}
