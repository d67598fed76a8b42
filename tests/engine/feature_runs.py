"""A tiny recognizer, and extracting features with it: shared by the tests of extraction."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from decord import VideoReader
from integration.tiny_runs import ROOT, TINY_BACKBONE, write_videos
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from mmpmg.engine.feature_extraction import ExtractionOptions, extract_features

MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
SIZES = {key.rpartition(".")[2]: value for key, value in TINY_BACKBONE.items()}
PIPELINE = "test_dataloader.dataset.pipeline"
TINY = {
    **TINY_BACKBONE,
    f"{PIPELINE}.frames.clip_len": 4,
    f"{PIPELINE}.short_side.scale": (-1, 32),
    f"{PIPELINE}.crop.crop_size": 32,
}
# Crops of a frame 43 wide, as MMAction2 defines them: left edge, -1 for a mirrored one.
LEFTS = {
    1: [(5, 1)],
    3: [(left, 1) for left in (0, 10, 5)],
    10: [(left, step) for left in (0, 8, 0, 8, 4) for step in (1, -1)],
}
RECIPE = str(ROOT / "configs/finetune/vit-b_ssv2-mini.py")  # 2 clips x 3 crops


def random_encoder(seed: int) -> dict[str, torch.Tensor]:
    """Return weights of the tiny encoder, all of them random."""
    init_default_scope("mmaction")
    torch.manual_seed(seed)
    model = MODELS.build(dict(type="MaskedVisionTransformer", **SIZES))
    return {
        f"backbone.{key}": value if key == "pos_embed" else torch.randn_like(value) / 4
        for key, value in model.state_dict().items()
    }


def options(out, checkpoint, videos, config=RECIPE, cfg_options=TINY, **more) -> ExtractionOptions:
    """Extract in this process, on the CPU, unless told otherwise."""
    return ExtractionOptions(
        config, str(checkpoint), str(videos), str(out), cfg_options=dict(cfg_options),
        **{"workers": 0, "device": "cpu", **more},
    )  # fmt: skip


def extracted(out: Path, *given, **more) -> dict[str, np.ndarray]:
    """Extract, and return what the file holds."""
    assert extract_features(options(out, *given, **more)) == out
    with np.load(out) as file:
        return dict(file)


def write_folder(root: Path) -> Path:
    """Write eight videos in two folders, and their list beside these; return the folder."""
    folder = root / "videos"
    write_videos(folder)
    (folder / "sub").mkdir()
    for name in ("clip1.mp4", "clip6.avi"):
        (folder / name).rename(folder / "sub" / name)
    lines = (folder / "list.txt").read_text().splitlines()
    moved = [f"sub/{one}" if one[4] in "16" else one for one in lines]
    (folder / "list.txt").unlink()
    (folder.parent / "list.txt").write_text("\n".join(moved[::-1]))
    return folder


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
        for left, step in LEFTS[crops]:
            view = (frames[:, :, left : left + 32][:, :, ::step].astype(np.float64) - MEAN) / STD
            tensor = torch.from_numpy(view.transpose(3, 0, 1, 2)[None]).float()
            with torch.no_grad():
                row.append(encoder.eval()(tensor)[0].numpy())
        rows.append(row)
    return np.array(rows)
