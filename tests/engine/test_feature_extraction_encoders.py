"""Features by encoders of every kind: pre-trained, other libraries', MMAction2's, Swin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from decord import VideoReader
from engine.feature_runs import (
    MEAN,
    PIPELINE,
    RECIPE,
    SIZES,
    STD,
    TINY,
    extracted,
    random_encoder,
    vectors_by_hand,
    write_folder,
)
from integration.tiny_runs import ROOT
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

from mmpmg.engine.feature_extraction.encoder import PooledEncoder, build_encoder
from mmpmg.engine.launch import recipe_file
from mmpmg.models.conversion import convert
from mmpmg.models.weight_files import write_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of eight videos in two folders, and their list beside it."""
    return write_folder(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module")
def state():
    """Return weights of the encoder."""
    return random_encoder(2)


@pytest.fixture(scope="module")
def checkpoint(state, tmp_path_factory):
    """Return a fine-tuned checkpoint."""
    file = tmp_path_factory.mktemp("trained") / "epoch_1.pth"
    head = {"cls_head.fc_cls.weight": torch.randn(2, 24), "cls_head.fc_cls.bias": torch.zeros(2)}
    torch.save(dict(state_dict={**state, **head}, meta={}), file)
    return str(file)


def pretrained(state):
    """The state dict of a pre-training: closing norm, decoder, no fc_norm."""
    encoder = {key: value for key, value in state.items() if "fc_norm" not in key}
    norm = {"backbone.norm.weight": torch.ones(24), "backbone.norm.bias": torch.ones(24)}
    return {**encoder, **norm, "branches.pixel.neck.mask_token": torch.zeros(1, 1, 12)}


def fresh_norm(state):
    return {
        **state,
        "backbone.fc_norm.weight": torch.ones(24),
        "backbone.fc_norm.bias": torch.zeros(24),
    }


def test_a_pretraining_its_encoder_file_and_mmactions_encoder_give_the_same(
    folder, state, tmp_path, capsys
):
    files = {}
    for name, content in (
        ("pretrained", pretrained(state)),
        ("encoder", fresh_norm(state)),
        ("bare", {k.removeprefix("module."): v for k, v in fresh_norm(state).items()}),
    ):
        files[name] = tmp_path / f"{name}.pth"
        torch.save(content if name == "bare" else dict(state_dict=content, meta={}), files[name])
    videos = folder / "sub"
    one = extracted(tmp_path / "pretrained.npz", files["pretrained"], videos)
    assert "backbone.fc_norm.weight, backbone.fc_norm.bias" in capsys.readouterr().out
    expected = [
        vectors_by_hand(fresh_norm(state), videos / name, 2, 3).mean((0, 1))
        for name in one["paths"]
    ]
    np.testing.assert_allclose(one["features"], expected, rtol=1e-5, atol=1e-5)
    for name in ("encoder", "bare"):
        other = extracted(tmp_path / f"{name}.npz", files[name], videos)
        np.testing.assert_array_equal(one["features"], other["features"])
    recipe = tmp_path / "mmaction2.py"
    backbone = dict(type="VisionTransformer", qkv_bias=True, **SIZES)
    recipe.write_text(
        f"_base_ = {RECIPE!r}\nmodel = dict(backbone=dict(_delete_=True, **{backbone!r}))\n"
    )
    sizes = {key: value for key, value in TINY.items() if not key.startswith("model.")}
    theirs = extracted(
        tmp_path / "theirs.npz", files["encoder"], videos, str(recipe), cfg_options=sizes
    )
    np.testing.assert_allclose(one["features"], theirs["features"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("layout", "name"),
    [("hf-classification", "folder/model.safetensors"), ("videomae-finetuned", "theirs.pth")],
)
def test_weights_of_other_libraries_give_the_same(
    layout, name, folder, state, checkpoint, tmp_path
):
    head = {"cls_head.fc_cls.weight": torch.ones(2, 24), "cls_head.fc_cls.bias": torch.zeros(2)}
    theirs = convert({**state, **head}, layout).state
    assert not set(theirs) & set(state)
    file = write_weights(tmp_path / name, theirs)
    if file.parent != tmp_path:  # Hugging Face's files stand in a folder with a config.json
        file = file.parent
        said = '{"model_type": "videomae", "num_attention_heads": 3}'
        (file / "config.json").write_text(said)
    one = extracted(tmp_path / "one.npz", checkpoint, folder / "sub")
    other = extracted(tmp_path / "other.npz", file, folder / "sub")
    np.testing.assert_allclose(one["features"], other["features"], rtol=1e-5, atol=1e-6)


def test_a_recipe_of_the_wheel_gives_what_mmactions_own_api_gives(
    folder, state, checkpoint, tmp_path
):
    """MMAction2's VideoMAE recipe and model; its own functions on the other side."""
    name = "recognition/videomae/vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400.py"
    sizes = {key: value for key, value in TINY.items() if key.startswith("model.")}
    steps = {"1.clip_len": 4, "1.num_clips": 2, "3.scale": (-1, 32), "4.crop_size": 32}
    sizes |= {f"{PIPELINE}.{key}": value for key, value in steps.items()}
    video = folder / "clip5.avi"
    recipe = f"mmaction::{name}"
    found = extracted(tmp_path / "f.npz", checkpoint, video, recipe, sizes, pool="clip")
    config = Config.fromfile(recipe_file(recipe))
    config.merge_from_dict(sizes)
    config.model.cls_head = None
    model = init_recognizer(config, checkpoint, device="cpu")
    steps = config.test_dataloader.dataset.pipeline
    data = Compose(steps)(dict(filename=str(video), label=-1, start_index=0, modality="RGB"))
    inputs = model.data_preprocessor(pseudo_collate([data]), training=False)["inputs"]
    with torch.no_grad():
        expected = model.extract_feat(inputs, stage="backbone")[0]
    assert len(expected) == 6 and len(found["features"]) == 2
    by_clip = expected.reshape(3, 2, 24).mean(0)  # crop by crop, as ThreeCrop stacks them
    assert (by_clip[0] - by_clip[1]).abs().max() > 1e-3
    np.testing.assert_allclose(found["features"], by_clip, rtol=1e-5, atol=1e-5)


def test_a_swin_from_its_pretraining_is_pooled_over_its_last_map(folder, tmp_path):
    sizes = dict(
        arch=dict(embed_dims=12, depths=(1, 1, 1, 1), num_heads=(1, 1, 2, 2)), img_size=32,
        num_frames=4, window_size=(2, 4, 4),
    )  # fmt: skip
    init_default_scope("mmaction")
    torch.manual_seed(4)
    model = MODELS.build(dict(type="MaskedSwinTransformer3D", out_indices=(1, 3), **sizes)).eval()
    state = {
        k: v + torch.randn_like(v) / 4 if v.is_floating_point() else v
        for k, v in model.state_dict().items()
    }
    model.load_state_dict(state)
    torch.save(dict(state_dict={f"backbone.{k}": v for k, v in state.items()}), tmp_path / "e.pth")
    changes = {f"model.backbone.{key}": value for key, value in sizes.items()}
    changes["model.backbone.arch"] = dict(_delete_=True, **sizes["arch"])
    changes["model.backbone.out_indices"] = (1, 3)
    changes |= {
        f"{PIPELINE}.frames.clip_len": 4, f"{PIPELINE}.frames.frame_interval": 6,
        f"{PIPELINE}.short_side.scale": (-1, 32), f"{PIPELINE}.crop.crop_size": 32,
    }  # fmt: skip
    video = folder / "clip0.mp4"
    found = extracted(
        tmp_path / "f.npz", tmp_path / "e.pth", video,
        str(ROOT / "configs/finetune/swin-t_ucf101.py"), changes, clips=1, crops=1,
    )  # fmt: skip
    # 24 frames, 4 of them, 6 apart: the only clip is 0, 6, 12, 18 and what is left over halved.
    best = np.inf
    for first in range(6):
        frames = VideoReader(str(video)).get_batch([first + 6 * i for i in range(4)]).asnumpy()
        frames = np.stack([cv2.resize(one, (43, 32)) for one in frames])[:, :, 5:37]
        clip = torch.from_numpy(((frames - MEAN) / STD).transpose(3, 0, 1, 2)[None]).float()
        with torch.no_grad():
            expected = model(clip)[-1].mean((2, 3, 4)).numpy()
        best = min(best, np.abs(found["features"] - expected).max())
    assert best < 1e-5


def test_a_swin_can_be_trained_in_the_process_that_extracted_with_it():
    """MMAction2 keeps the masks of its windows from one call to the next, of any model."""
    init_default_scope("mmaction")
    arch = dict(embed_dims=12, depths=(2, 1, 1, 1), num_heads=(1, 1, 2, 2))
    backbone = dict(
        type="SwinTransformer3D", arch=arch, pretrained2d=False, window_size=(2, 3, 3),
        with_cp=True,
    )  # fmt: skip
    preprocessor = dict(type="ActionDataPreprocessor", mean=MEAN, std=STD, format_shape="NCTHW")
    model = MODELS.build(
        dict(type="Recognizer3D", backbone=backbone, data_preprocessor=preprocessor)
    )
    grey = torch.full((1, 3, 4, 32, 32), 128, dtype=torch.uint8)
    PooledEncoder(model, "cpu", "fp32", 1)([grey])
    model.backbone.train()
    model.backbone(grey.float()).square().mean().backward()
    gradient = model.backbone.layers[0].blocks[1].attn.qkv.weight.grad
    assert gradient is not None and gradient.abs().sum() > 0


def test_a_vit_without_mean_pooling_gives_the_mean_of_its_tokens(tmp_path):
    """MMAction2 would take the first token, which pre-training gives no role of its own."""
    init_default_scope("mmaction")
    torch.manual_seed(5)
    backbone = dict(type="VisionTransformer", qkv_bias=True, use_mean_pooling=False, **SIZES)
    backbone["drop_rate"] = 0.5  # for training alone
    vit = MODELS.build(backbone).eval()
    for value in vit.parameters():
        torch.nn.init.normal_(value, std=0.3)
    state = {f"backbone.{key}": value for key, value in vit.state_dict().items()}
    torch.save(dict(state_dict=state), tmp_path / "e.pth")
    preprocessor = dict(type="ActionDataPreprocessor", mean=MEAN, std=STD, format_shape="NCTHW")
    recipe = Config(
        dict(model=dict(type="Recognizer3D", backbone=backbone, data_preprocessor=preprocessor))
    )
    model, _, fresh = build_encoder(recipe, "recipe", str(tmp_path / "e.pth"))
    assert not fresh
    clip = torch.randint(0, 256, (1, 3, 4, 32, 32), dtype=torch.uint8)
    found = PooledEncoder(model, "cpu", "fp32", 1)([clip])
    stats = [torch.tensor(one).float().view(1, 3, 1, 1, 1) for one in (MEAN, STD)]
    with torch.no_grad():
        tokens = vit.patch_embed((clip - stats[0]) / stats[1])[0] + vit.pos_embed
        for block in vit.blocks:
            tokens = block(tokens)
        expected = vit.norm(tokens).mean(1)
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-4)
