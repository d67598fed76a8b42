"""Features equal a forward pass written by hand, for any encoder, worker count and batch size."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
import torch
from decord import VideoReader
from engine.feature_runs import PIPELINE, RECIPE, SIZES, TINY, extracted, options, random_encoder
from integration.tiny_runs import ROOT, write_videos
from mmaction.apis import init_recognizer
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

from mmpmg.engine.feature_extraction import ExtractionError, extract_features
from mmpmg.engine.launch import recipe_file
from mmpmg.models.conversion import convert
from mmpmg.models.weight_files import write_weights

MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of eight videos in two folders, and their list beside it."""
    folder = tmp_path_factory.mktemp("features") / "videos"
    write_videos(folder)
    (folder / "sub").mkdir()
    for name in ("clip1.mp4", "clip6.avi"):
        (folder / name).rename(folder / "sub" / name)
    lines = (folder / "list.txt").read_text().splitlines()
    moved = [f"sub/{one}" if one[4] in "16" else one for one in lines]
    (folder / "list.txt").unlink()
    (folder.parent / "list.txt").write_text("\n".join(moved[::-1]))
    return folder


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


def vectors_by_hand(state, file, clips, crops):
    """(clips, crops, C): frames by decord, everything else spelt out, MMAction2's own encoder."""
    encoder = MODELS.build(dict(type="VisionTransformer", qkv_bias=True, **SIZES))
    encoder.load_state_dict({k.removeprefix("backbone."): v for k, v in state.items()})
    reader = VideoReader(str(file))
    segment = (len(reader) - 1) / 4
    rows = []
    for clip in range(clips):
        within = int(segment / (clips + 1) * (clip + 1))
        frames = reader.get_batch([round(segment * i) + within for i in range(4)]).asnumpy()
        frames = np.stack([cv2.resize(one, (43, 32)) for one in frames])
        row = []
        for left in (5,) if crops == 1 else (0, 10, 5):
            view = (frames[:, :, left : left + 32].astype(np.float64) - MEAN) / STD
            tensor = torch.from_numpy(view.transpose(3, 0, 1, 2)[None]).float()
            with torch.no_grad():
                row.append(encoder.eval()(tensor)[0].numpy())
        rows.append(row)
    return np.array(rows)


def test_a_video_is_the_mean_over_clips_and_crops_of_a_forward_pass_by_hand(
    folder, state, checkpoint, tmp_path
):
    found = extracted(tmp_path / "f.npz", checkpoint, folder)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("clip*"))
    assert found["paths"].tolist() == names and len(names) == 8
    assert found["labels"].tolist() == [-1] * 8 and found["skipped"].tolist() == []
    expected = [vectors_by_hand(state, folder / name, 2, 3).mean((0, 1)) for name in names]
    assert np.std(expected, axis=0).max() > 0.01, "the videos are all alike"
    np.testing.assert_allclose(found["features"], expected, rtol=1e-5, atol=1e-5)


def test_a_clip_is_the_mean_over_its_crops_in_the_order_of_the_list(
    folder, state, checkpoint, tmp_path
):
    found = extracted(
        tmp_path / "f.npz", checkpoint, folder.parent / "list.txt", root=str(folder), pool="clip",
        clips=3, batch_size=2,
    )  # fmt: skip
    listed = [line.split() for line in (folder.parent / "list.txt").read_text().splitlines()]
    assert found["paths"].tolist() == [name for name, _ in listed for _ in range(3)]
    assert found["labels"].tolist() == [int(label) for _, label in listed for _ in range(3)]
    assert found["clips"].tolist() == [0, 1, 2] * 8
    expected = [vectors_by_hand(state, folder / name, 3, 3).mean(1) for name, _ in listed]
    np.testing.assert_allclose(found["features"], np.concatenate(expected), rtol=1e-5, atol=1e-5)


def test_one_centre_crop_of_one_clip(folder, state, checkpoint, tmp_path):
    video = folder / "clip0.mp4"
    found = extracted(tmp_path / "f.npz", checkpoint, video, clips=1, crops=1)
    assert found["paths"].tolist() == ["clip0.mp4"]
    np.testing.assert_allclose(
        found["features"], vectors_by_hand(state, video, 1, 1)[0], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(("workers", "batch_size"), [(0, 64), (2, 1), (1, 13)])
def test_workers_and_batch_size_change_the_last_bits_at_most(
    workers, batch_size, folder, checkpoint, tmp_path
):
    one = extracted(tmp_path / "one.npz", checkpoint, folder)
    other = extracted(
        tmp_path / "other.npz", checkpoint, folder, workers=workers, batch_size=batch_size
    )
    assert one["paths"].tolist() == other["paths"].tolist()
    np.testing.assert_allclose(one["features"], other["features"], rtol=1e-5, atol=1e-6)


def test_half_precision_is_close_and_not_the_same(folder, checkpoint, tmp_path):
    one = extracted(tmp_path / "one.npz", checkpoint, folder / "sub")["features"]
    half = extracted(tmp_path / "half.npz", checkpoint, folder / "sub", precision="bf16")[
        "features"
    ]
    assert half.dtype == np.float32
    assert 0 < np.abs(one - half).max() < 0.03 * np.abs(one).max()


@pytest.mark.gpu
def test_a_gpu_gives_the_same_to_its_precision(folder, checkpoint, tmp_path):
    one = extracted(tmp_path / "one.npz", checkpoint, folder)["features"]
    other = extracted(tmp_path / "gpu.npz", checkpoint, folder, device=None, workers=2)["features"]
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


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
        (file / "config.json").write_text('{"model_type": "videomae"}')
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


def test_unreadable_videos_are_named_and_left_out(folder, checkpoint, tmp_path, caplog):
    videos = tmp_path / "videos"
    shutil.copytree(folder, videos)
    (videos / "clip2.mp4").write_bytes(b"no video at all")
    (videos / "sub" / "clip6.avi").write_bytes(b"")
    one = extracted(tmp_path / "one.npz", checkpoint, folder)
    found = extracted(tmp_path / "found.npz", checkpoint, videos, batch_size=12, workers=2)
    kept = [name for name in one["paths"] if name not in ("clip2.mp4", "sub/clip6.avi")]
    assert found["paths"].tolist() == kept
    of = dict(zip(one["paths"], one["features"], strict=True))
    np.testing.assert_allclose(found["features"], [of[name] for name in kept], rtol=1e-5, atol=1e-6)
    assert [text.split(":")[0] for text in found["skipped"]] == [
        str(videos / "clip2.mp4"), str(videos / "sub/clip6.avi")
    ]  # fmt: skip
    assert "cannot be decoded" in found["skipped"][0] and "is empty" in found["skipped"][1]
    with pytest.raises(ExtractionError, match="--max-bad-share=0.0 allows.*clip2.mp4"):
        extracted(tmp_path / "strict.npz", checkpoint, videos, max_bad_share=0.0)


def test_parquet_holds_the_same(folder, checkpoint, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional")
    one = extracted(tmp_path / "f.npz", checkpoint, folder, pool="clip")
    out = tmp_path / "f.parquet"
    given = options(out, checkpoint, folder, pool="clip")
    for _ in range(2):  # the second time it is there already
        assert extract_features(given) == out
    table = parquet.read_table(out)
    assert table.column_names == ["path", "label", "clip", "feature"]
    assert table["path"].to_pylist() == one["paths"].tolist()
    assert table["clip"].to_pylist() == one["clips"].tolist()
    np.testing.assert_array_equal(np.array(table["feature"].to_pylist(), "f4"), one["features"])
