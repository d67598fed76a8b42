"""Weights that fit by their shapes and were trained with other settings are refused by their file.

The files are those that people have: of a run, exported, converted and published.
"""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from reference.converted_models import TINY, pretrainer, recognizer

from mmpmg.engine.checkpoint_conversion import ConversionOptions, convert_checkpoint
from mmpmg.engine.encoder_export import export_encoder
from mmpmg.engine.publishing import PublishOptions, publish
from mmpmg.engine.start_checks import check_named_weights, check_resumed
from mmpmg.models.checkpoint_fit import check_file
from mmpmg.models.weight_files import read_weights

NECK = dict(embed_dims=12, depth=2, num_heads=2)
SAYS = r"says that it was trained with 3 attention heads, and the recipe's model\.backbone\."
OTHERS = r"num_heads is 4.*--cfg-options model\.backbone\.num_heads=3"


def written(path, model, **necks):
    """A checkpoint as MMEngine writes it, with the recipe's text."""
    backbone = dict(type="MaskedVisionTransformer", **TINY)
    described = dict(type="X", backbone=backbone)
    if necks:
        described["branches"] = {
            name: dict(neck=dict(dict(type="MAEDecoder"), **neck)) for name, neck in necks.items()
        }
    meta = dict(cfg=Config(dict(model=described)).pretty_text, epoch=1, iter=3, experiment_name="x")
    torch.save(dict(state_dict=model.state_dict(), meta=meta, optimizer={}), path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files with an encoder of three heads, all of which say so."""
    place = tmp_path_factory.mktemp("files")
    run = written(place / "epoch_1.pth", pretrainer(), pixel=NECK)
    finetuned = written(place / "epoch_2.pth", recognizer())
    exported = export_encoder(run, place / "encoder.safetensors")
    converted = place / "converted.pth"
    convert_checkpoint(ConversionOptions(str(run), str(converted), to="encoder"))
    published = publish(PublishOptions(str(finetuned), str(place / "published"))).files
    return dict(run=run, finetuned=finetuned, exported=exported, converted=converted,
                published=published[0][0], safe=published[1][0])  # fmt: skip


@pytest.mark.parametrize("kind", ["MaskedVisionTransformer", "VisionTransformer"])
@pytest.mark.parametrize("file", ["run", "finetuned", "exported", "converted", "published", "safe"])
def test_an_encoder_of_other_heads_is_not_trained_on(files, file, kind):
    check_file(recognizer(kind), str(files[file]))
    with pytest.raises(ValueError, match=f"^load_from=.*{files[file].name} {SAYS}{OTHERS}"):
        check_file(recognizer(kind, num_heads=4), str(files[file]))


@pytest.mark.parametrize("file", ["finetuned", "published", "safe"])
def test_a_classifier_of_other_heads_is_not_tested(files, file):
    check_file(recognizer(), str(files[file]), whole=True)
    with pytest.raises(ValueError, match=f"^{files[file]} {SAYS}{OTHERS}"):
        check_file(recognizer(num_heads=4), str(files[file]), whole=True)


def test_a_run_goes_on_and_draws_with_its_own_decoder(files):
    other = pretrainer(neck=dict(NECK, num_heads=3))
    check_file(other, str(files["run"]))  # a new run takes the encoder, and decodes as it likes
    with pytest.raises(ValueError, match=r"with 2 .*model.branches.pixel.neck.num_heads is 3"):
        check_file(other, str(files["run"]), whole=True)
    check_resumed(SimpleNamespace(model=pretrainer()), str(files["run"]))
    for changed in (other, pretrainer(**dict(TINY, num_heads=4))):
        with pytest.raises(ValueError, match=r"^--resume .*attention heads"):
            check_resumed(SimpleNamespace(model=changed), str(files["run"]))


def test_each_decoder_is_compared_with_its_own_branch(tmp_path):
    motion = dict(
        neck=dict(type="MAEDecoder", embed_dims=12, depth=1, num_heads=3),
        head=dict(type="MaskedRegressionHead", target=dict(type="TemporalDifferenceTarget")),
    )
    model = pretrainer(branches=dict(motion=motion))
    file = written(tmp_path / "epoch_1.pth", model, pixel=NECK, motion=motion["neck"])
    check_file(model, str(file), whole=True)
    other = pretrainer(branches=dict(motion=dict(motion, neck=dict(motion["neck"], num_heads=2))))
    with pytest.raises(ValueError, match=r"with 3 .*model.branches.motion.neck.num_heads is 2"):
        check_file(other, str(file), whole=True)


def test_weights_named_by_init_cfg_are_looked_at_too(files):
    model = recognizer(num_heads=4)
    for place, prefix in ((model, ""), (model.backbone, "backbone.")):
        named = dict(type="Pretrained", checkpoint=str(files["exported"]), prefix=prefix)
        place.init_cfg = named
        with pytest.raises(ValueError, match=f"init_cfg with checkpoint=.*{SAYS}{OTHERS}"):
            check_named_weights(model)
        place.init_cfg = None
    fitting = recognizer()
    fitting.backbone.init_cfg = named
    check_named_weights(fitting)


def test_a_file_that_says_nothing_or_speaks_of_something_else_is_taken(tmp_path):
    file = tmp_path / "weights.pth"
    swin = "model = dict(backbone=dict(type='SwinTransformer3D', num_heads=[1, 2]))"
    ours = "model = dict(backbone=dict(type='VisionTransformer', "
    for meta in ({}, dict(cfg=swin), dict(cfg="no recipe ("), dict(conversion=dict(source="x")),
                 dict(config=dict(lr=1)), dict(config={}), dict(conversion=dict(heads=True)),
                 *(dict(cfg=f"{ours}num_heads={heads}))") for heads in ("True", "'3'", "3.0")),
                 dict(config=dict(model_type="videomae", num_attention_heads="3"))):  # fmt: skip
        torch.save(dict(state_dict=recognizer().state_dict(), meta=meta), file)
        check_file(recognizer(num_heads=4), str(file), whole=True)
    torch.save(recognizer().state_dict(), file)
    check_file(recognizer(num_heads=4), str(file))


def test_a_file_of_another_model_is_named(tmp_path):
    file = tmp_path / "weights.pth"
    meta = dict(config=dict(model_type="bert"))
    torch.save(dict(state_dict=pretrainer().state_dict(), meta=meta), file)
    words = rf"{file}: config\.json describes a model of type 'bert'"
    with pytest.raises(ValueError, match=f"^load_from={words}"):
        check_file(recognizer(), str(file))
    with pytest.raises(ValueError, match=f"^{words}"):
        export_encoder(file, tmp_path / "encoder.pth")


def test_clips_of_another_size_are_no_fault_of_fixed_positions(files):
    for size in (dict(num_frames=8), dict(img_size=48)):
        check_file(recognizer(**size), str(files["exported"]))


@pytest.mark.parametrize("kept", [torch.float16, torch.bfloat16])
def test_fixed_positions_that_were_rounded_once_are_fixed(kept, tmp_path):
    state = recognizer(num_frames=16).state_dict()
    state["backbone.pos_embed"] = state["backbone.pos_embed"].to(kept).float()
    torch.save(dict(state_dict=state, meta={}), tmp_path / "rounded.pth")
    check_file(recognizer(), str(tmp_path / "rounded.pth"))


def test_learnt_positions_of_other_clips_are_not_left_out_in_silence(files, tmp_path):
    state = read_weights(files["exported"]).state
    state["backbone.pos_embed"] = torch.randn(1, 32, 24)  # 2 x 4 x 4 slots, as image weights give
    said = dict(conversion=dict(heads=3, num_frames=4, img_size=32))
    file = tmp_path / "learnt.pth"
    for meta in (said, {}):
        torch.save(dict(state_dict=state, meta=meta), file)
        check_file(recognizer(), str(file))
        with pytest.raises(ValueError, match=r"of 32 tokens.*has 4 x 4 x 4: .*--to encoder"):
            check_file(recognizer(num_frames=8), str(file))
    # As many tokens, in other places.
    torch.save(dict(state_dict=state, meta=said), file)
    with pytest.raises(ValueError, match=r"on frames of 32 pixels.*has 8 x 2 x 2"):
        check_file(recognizer(num_frames=16, img_size=16), str(file))
    resized = tmp_path / "resized.pth"
    convert_checkpoint(ConversionOptions(str(file), str(resized), to="encoder", to_num_frames=8))
    check_file(recognizer(num_frames=8), str(resized))
