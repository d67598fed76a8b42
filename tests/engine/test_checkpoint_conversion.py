"""tools/convert_checkpoint.py: files in, files and folders out, and the check of both models."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from reference.converted_models import TINY, build, pretrainer, recognizer
from reference.page_commands import blocks

from mmpmg.engine import hugging_face_models
from mmpmg.engine.checkpoint_conversion import (
    ConversionError,
    ConversionOptions,
    convert_checkpoint,
)
from mmpmg.engine.conversion_check import check_conversion
from mmpmg.models.conversion import Hints, convert
from mmpmg.models.conversion.file_meta import hints_of_meta, recipe_model
from mmpmg.models.weight_files import read_weights, write_weights

transformers = pytest.importorskip("transformers", reason="pip install mmpmg[test]")
ROOT = Path(__file__).parents[2]
TOY = str(ROOT / "configs/pmg/vit-toy_generated.py")
KNOWN = dict(heads=3, decoder_heads=2, num_frames=4, image_size=32)


def run(source, out, **options):
    return convert_checkpoint(ConversionOptions(str(source), str(out), **options))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pre-training and a fine-tuned checkpoint, as MMEngine writes them."""
    place = tmp_path_factory.mktemp("checkpoints")
    for name, model in (("pretrained", pretrainer()), ("finetuned", recognizer())):
        torch.save(dict(state_dict=model.state_dict(), meta=dict(epoch=1)), place / f"{name}.pth")
    return place


def test_every_way_there_and_back_agrees_and_is_bit_exact(folder, tmp_path):
    for source, first in (("pretrained", "hf-pretraining"), ("finetuned", "hf-classification")):
        told, check = run(folder / f"{source}.pth", tmp_path / source, check=True, **KNOWN)
        assert told.target == first
        assert check.passed and len(check.differences) >= 3
        assert max(row.largest for row in check.differences) <= 1e-5
        # Sizes come with the folder now.
        back, check = run(tmp_path / source, tmp_path / f"{source}.safetensors", check=True)
        assert check.passed and len(check.differences) >= 3
        state = read_weights(folder / f"{source}.pth").state
        again = read_weights(tmp_path / f"{source}.safetensors")
        assert set(again.state) == set(state)
        assert all(torch.equal(again.state[key], state[key]) for key in state)
        # And with the file, where no width tells the heads.
        assert hints_of_meta(again.meta) == Hints(3, back.sizes.decoder_heads, 4, 32, True)
        assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("source", "to", "outputs"),
    [
        ("pretrained", "hf-model", {"tokens", "tokens before the closing norm"}),
        ("pretrained", "encoder", {"tokens before the closing norm"}),
        ("finetuned", "encoder", {"tokens before the closing norm", "pooled features"}),
        ("finetuned", "recognizer", {"class scores"}),
        ("pretrained", "videomae-pretraining", {"62 of 63 weights, there and back"}),
    ],
)
def test_the_check_compares_what_both_sides_have(source, to, outputs, folder, tmp_path):
    out = tmp_path / ("folder" if to.startswith("hf") else "out.pth")
    source = "finetuned" if source == "finetuned" else "pretrained"
    _, check = run(folder / f"{source}.pth", out, to=to, check=True, **KNOWN)
    assert check.passed
    assert outputs <= {row.what for row in check.differences}
    mmaction2 = [note for note in check.notes if note == "MMAction2's VisionTransformer"]
    assert bool(mmaction2) == (to in ("encoder", "recognizer"))


def test_the_check_finds_one_wrong_weight(folder, tmp_path):
    state = read_weights(folder / "pretrained.pth").state
    hints = Hints(3, 2, 4, 32)
    conversion = convert(state, "hf-pretraining", hints=hints)
    key = "decoder.decoder_layers.1.attention.attention.v_bias"
    conversion.state[key] = conversion.state[key] + 0.1
    hugging_face_models.write_folder(
        tmp_path, conversion.state, conversion.sizes, "hf-pretraining", {}
    )
    check = check_conversion(state, conversion, None, tmp_path)
    assert not check.passed and "NOT equal" in check.text()
    apart = {row.what for row in check.differences if row.largest > 1e-4}
    assert apart == {"predictions", "pre-training loss"}


def test_biases_that_a_release_leaves_at_zero_are_noticed(folder, tmp_path, monkeypatch):
    original = transformers.VideoMAEModel.from_pretrained.__func__

    def forgetful(cls, *args, **options):
        model, info = original(cls, *args, **options)
        torch.nn.init.zeros_(model.encoder.layer[0].attention.attention.value.bias)
        return model, info

    monkeypatch.setattr(transformers.VideoMAEModel, "from_pretrained", classmethod(forgetful))
    with pytest.raises(ConversionError, match="without encoder.layer.0.*v_bias.*upgrade"):
        run(folder / "pretrained.pth", tmp_path, to="hf-model", check=True, **KNOWN)


def test_a_recipe_tells_heads_and_clips(tmp_path):
    model = build(Config.fromfile(TOY).model)
    write_weights(tmp_path / "toy.pth", model.state_dict())
    with pytest.raises(ConversionError, match="--recipe"):
        run(tmp_path / "toy.pth", tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    told, check = run(tmp_path / "toy.pth", tmp_path / "folder", recipe=TOY, check=True)
    assert check.passed
    config = json.loads((tmp_path / "folder/config.json").read_text())
    assert [config[key] for key in ("image_size", "num_frames", "patch_size", "tubelet_size")] == [
        64, 16, 8, 4
    ]  # fmt: skip
    assert (told.sizes.heads, told.sizes.decoder_heads) == (3, 3)
    base = str(ROOT / "configs/pmg/vit-b_generated.py")
    with pytest.raises(ConversionError, match="embed_dims 192, depth 6.* asks for embed_dims 768"):
        run(tmp_path / "toy.pth", tmp_path / "other", recipe=base, decoder_heads=3)
    swin = str(ROOT / "configs/demvm/swin-toy_generated_smoke.py")
    with pytest.raises(ConversionError, match="MaskedSwinTransformer3D.* in the recipe"):
        run(tmp_path / "toy.pth", tmp_path / "other", recipe=swin)
    assert not (tmp_path / "other").exists()


def test_what_a_file_says_of_itself_goes_before_the_recipe(folder, tmp_path):
    """Options before both: a recipe of other heads does not make the weights its own."""
    run(folder / "finetuned.pth", tmp_path / "hf", **KNOWN)
    recipe = tmp_path / "other.py"
    described = dict(
        type="Recognizer3D",
        backbone=dict(TINY, type="VisionTransformer", num_heads=4, num_frames=8, img_size=48),
    )
    recipe.write_text(Config(dict(model=described)).pretty_text)
    with pytest.raises(ConversionError, match="have num_heads 3, and .* asks for num_heads 4"):
        run(tmp_path / "hf", tmp_path / "out.pth", recipe=str(recipe))
    described["backbone"]["num_heads"] = 3
    recipe.write_text(Config(dict(model=described)).pretty_text)
    told, _ = run(tmp_path / "hf", tmp_path / "out.pth", recipe=str(recipe))
    assert (told.sizes.num_frames, told.sizes.img_size) == (8, 48)
    told, _ = run(tmp_path / "hf", tmp_path / "out.pth", recipe=str(recipe), to_num_frames=4)
    assert (told.sizes.num_frames, told.sizes.img_size) == (4, 48)
    # Learnt positions are of 16 frames where nothing says otherwise, not of the recipe's.
    ours = recognizer("VisionTransformer", use_learnable_pos_emb=True, num_frames=16, img_size=16)
    learnt = write_weights(tmp_path / "learnt.pth", ours.state_dict())
    told, _ = run(learnt, tmp_path / "out.pth", recipe=str(recipe), to="recognizer")
    assert "learnt, interpolated: 8 x 2 x 2 to 4 x 6 x 6" in told.table()


def test_a_recipe_tells_the_heads_of_weights_that_are_nowhere_ours(folder, tmp_path):
    official = tmp_path / "official.pth"
    run(folder / "finetuned.pth", official, to="videomae-finetuned", **KNOWN)
    write_weights(
        official, read_weights(official).state
    )  # as the authors' files, which say nothing
    with pytest.raises(ConversionError, match="give --recipe"):
        run(official, tmp_path / "hf", to="hf-classification")
    recipe = tmp_path / "recipe.py"
    described = dict(type="Recognizer3D", backbone=dict(TINY, type="VisionTransformer"))
    recipe.write_text(Config(dict(model=described)).pretty_text)
    run(official, tmp_path / "hf", to="hf-classification", recipe=str(recipe))
    config = json.loads((tmp_path / "hf/config.json").read_text())
    asked = ("num_attention_heads", "num_frames", "image_size")
    assert [config[key] for key in asked] == [3, 4, 32]


def test_a_folder_that_lost_a_block_is_refused_by_the_command(folder, tmp_path):
    run(folder / "pretrained.pth", tmp_path / "hf", **KNOWN)
    file = tmp_path / "hf/model.safetensors"
    state = read_weights(tmp_path / "hf").state
    cut = {key: value for key, value in state.items() if "encoder.layer.1." not in key}
    write_weights(file, cut)
    with pytest.raises(ConversionError, match="depth 1, and config.json says 2"):
        run(tmp_path / "hf", tmp_path / "out.pth")


def test_the_recipe_in_a_checkpoint_is_read_and_not_run(tmp_path):
    text = Config(
        dict(model=dict(type="X", backbone=dict(num_heads=3, sizes=[1, (2, 3)])))
    ).pretty_text
    assert recipe_model(text)["backbone"] == dict(num_heads=3, sizes=[1, [2, 3]])
    harmful = f"model = __import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()"
    assert recipe_model(harmful) is None and hints_of_meta(dict(cfg=harmful)) == Hints()
    assert not (tmp_path / "ran").exists()
    backbone = dict(type="MaskedVisionTransformer", arch="tiny", num_frames=8, img_size=64)
    told = hints_of_meta(dict(cfg=Config(dict(model=dict(backbone=backbone))).pretty_text))
    assert told == Hints(3, None, 8, 64)


def test_clips_of_another_size_are_what_the_file_is_for(folder, tmp_path):
    told, check = run(
        folder / "finetuned.pth", tmp_path / "long.pth", to="recognizer", to_num_frames=8,
        check=True, **KNOWN,
    )  # fmt: skip
    assert told.keys("resized") == ["backbone.pos_embed"]
    assert not check.differences and "another size" in check.text()
    longer = recognizer(num_frames=8)
    longer.load_state_dict(read_weights(tmp_path / "long.pth").state, strict=True)
    # The file knows its clips: back, nothing has to be said.
    back, _ = run(tmp_path / "long.pth", tmp_path / "short.pth", to="recognizer", to_num_frames=4)
    state = read_weights(folder / "finetuned.pth").state
    assert all(torch.equal(back.state[key], state[key]) for key in state)


def test_a_file_name_for_a_folder_is_refused(folder, tmp_path):
    with pytest.raises(ConversionError, match="give a folder"):
        run(folder / "pretrained.pth", tmp_path / "model.pth", **KNOWN)
    with pytest.raises(ConversionError, match=r"\.pth or \.safetensors"):
        run(folder / "pretrained.pth", tmp_path / "model", to="encoder", **KNOWN)
    for name in ("out.txt", "model.bin", "weights.ckpt", "hf.h5"):
        with pytest.raises(ConversionError, match=f"{name} is a file's name: give a folder, or"):
            run(folder / "pretrained.pth", tmp_path / name, **KNOWN)
    assert not list(tmp_path.iterdir())
    (tmp_path / "weights").write_text("somebody's")
    with pytest.raises(ConversionError, match="weights is a file's name: give a folder, or"):
        run(folder / "pretrained.pth", tmp_path / "weights", **KNOWN)
    with pytest.raises(ConversionError, match=r"weights/out\.pth cannot be written: "):
        run(folder / "pretrained.pth", tmp_path / "weights/out.pth", to="encoder", **KNOWN)
    (tmp_path / "runs.d").mkdir()
    for name in ("runs.d", "vit-b_v1.5"):  # one that is there, and one with a number
        run(folder / "pretrained.pth", tmp_path / name, **KNOWN)
        assert (tmp_path / name / "config.json").is_file()


def test_the_command_prints_the_table_and_exits_as_it_should(folder, tmp_path, monkeypatch, capsys):
    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["convert_checkpoint.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / "tools/convert_checkpoint.py"), run_name="__main__")
        return end.value.code, capsys.readouterr()

    options = [f"--{name.replace('_', '-')}={value}" for name, value in KNOWN.items()]
    code, told = command(folder / "pretrained.pth", tmp_path / "hf", "--check", *options)
    assert code == 0, told.err
    assert "pretrainer -> hf-pretraining: 62 loaded, 0 missing, 1 unexpected" in told.out
    assert "pre-training loss: largest difference" in told.out
    assert "predictions: largest difference " in told.out and ", as that library " in told.out
    write_weights(tmp_path / "swin.pth", {"layers.0.relative_position_bias_table": torch.ones(1)})
    code, told = command(tmp_path / "swin.pth", tmp_path / "no")
    assert code.startswith("error: ") and "a Swin" in code
    assert not (tmp_path / "no").exists()
    (tmp_path / "cut.pth").write_bytes((folder / "pretrained.pth").read_bytes()[:9000])
    code, told = command(tmp_path / "cut.pth", tmp_path / "no")
    assert code.startswith("error: ") and "cut.pth" in code


def test_a_reader_who_left_is_no_fault_of_the_files(folder, tmp_path):
    def gone(text):
        raise BrokenPipeError(32, "Broken pipe")

    options = ConversionOptions(str(folder / "finetuned.pth"), str(tmp_path / "out.pth"), "encoder")
    with pytest.raises(BrokenPipeError):
        convert_checkpoint(options, gone)
    assert read_weights(tmp_path / "out.pth").state


def test_the_snippet_of_the_page_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    encoder = convert(pretrainer().state_dict(), "encoder", hints=Hints(3, 2, 4, 32)).state
    write_weights(tmp_path / "encoder.pth", encoder)
    monkeypatch.chdir(tmp_path)
    (snippet,) = [
        text for text in blocks(ROOT / "docs/weights.md", "python") if "import convert" in text
    ]
    # The page's encoder is for 16 frames, this one for 4.
    snippet = snippet.replace('finetuned")', 'finetuned", hints=hints)')
    exec(compile(snippet, "weights.md", "exec"), dict(hints=Hints(num_frames=4)))
    assert "encoder -> videomae-finetuned" in capsys.readouterr().out
    assert "blocks.1.mlp.fc2.weight" in read_weights(tmp_path / "official.pth").state


def test_an_image_model_of_timm_is_inflated_for_the_clips_that_are_named(tmp_path):
    timm = pytest.importorskip("timm")
    image = timm.models.vision_transformer.VisionTransformer(
        img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3
    ).eval()
    torch.save(image.state_dict(), tmp_path / "image.pth")
    clips = dict(to_num_frames=4, to_image_size=32)
    told, check = run(
        tmp_path / "image.pth", tmp_path / "encoder.pth", positions="image", check=True, **clips
    )
    assert (told.source, told.target, check.passed) == ("timm", "encoder", True)
    assert {row.source for row in told.rows} >= set(image.state_dict())
    assert {row.target for row in told.rows} - {""} == set(told.state)
    ours = recognizer()
    result = ours.load_state_dict(read_weights(tmp_path / "encoder.pth").state, strict=False)
    assert result.missing_keys == ["cls_head.fc_cls.weight", "cls_head.fc_cls.bias"]
    assert not result.unexpected_keys
    embedding = "backbone.patch_embed.projection.weight"
    model = dict(backbone=dict(TINY, type="VisionTransformer", tubelet_size=4, num_frames=8))
    (tmp_path / "recipe.py").write_text(Config(dict(model=model)).pretty_text)
    for patches, share in (("mean", 1 / 4), ("center", 0.0)):
        told, _ = run(
            tmp_path / "image.pth", tmp_path / "other.pth", patches=patches, to="pretrainer",
            recipe=str(tmp_path / "recipe.py"), **clips,
        )  # fmt: skip
        weight = image.state_dict()["patch_embed.proj.weight"]
        torch.testing.assert_close(told.state[embedding][:, :, 0], weight * share)
        assert told.state[embedding].shape[2] == 4
        assert told.sizes.num_frames == 4  # the options', not the recipe's
        assert "backbone.norm.weight" in told.state  # which closes pre-training
    with pytest.raises(ConversionError, match="becomes an encoder or a pretrainer of ours"):
        run(tmp_path / "image.pth", tmp_path / "hf", to="hf-model")
    recipe = str(ROOT / "configs/finetune/vit-b_ucf101.py")
    with pytest.raises(ConversionError, match="embed_dims 24.* asks for embed_dims 768"):
        run(tmp_path / "image.pth", tmp_path / "other.pth", recipe=recipe, **clips)
