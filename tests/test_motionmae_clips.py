"""Real videos through MotionMAE's pipelines, as the recipes stand, into a narrow model's step."""

import math

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from reference.recipe_rows import load


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Two videos of a photograph-like texture that moves two pixels a frame to the right."""
    folder = tmp_path_factory.mktemp("videos")
    rng = np.random.default_rng(0)
    for name in "ab":
        noise = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        wide = cv2.resize(noise, (640, 240), interpolation=cv2.INTER_CUBIC)
        fourcc = cv2.VideoWriter_fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(folder / f"{name}.avi"), fourcc, 12, (320, 240))
        for k in range(80):
            writer.write(np.ascontiguousarray(wide[:, 200 - 2 * k : 520 - 2 * k]))
        writer.release()
    (folder / "list.txt").write_text("a.avi 0\nb.avi 1\n")
    return folder


def samples(config, videos):
    dataset = config.train_dataloader.dataset
    dataset.ann_file, dataset.data_prefix = str(videos / "list.txt"), dict(video=str(videos))
    built = DATASETS.build(dataset)
    return pseudo_collate([built[0], built[1]])


def narrow(config):
    config.model.backbone.update(embed_dims=24, depth=1, num_heads=2)
    for branch in filter(None, config.model.branches.values()):
        branch.neck.update(embed_dims=16, depth=1, num_heads=2)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    return model


@pytest.mark.parametrize("name", ["ssv2", "kinetics400", "ucf101_optical-flow"])
def test_a_video_s_clip_teaches_both_branches(name, videos):
    config = load(f"motionmae/vit-b_{name}")
    data = samples(config, videos)
    assert data["inputs"][0].shape == (1, 3, 16, 224, 224)
    model = narrow(config)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    log = model.train_step(data, wrapper)
    assert set(log) == {"loss", "loss_pixel", "loss_motion"}
    assert all(math.isfinite(value) and value > 0 for value in log.values())
    moved = [not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
    assert all(moved)


def test_the_flow_is_of_the_clip_that_the_model_sees(videos):
    """The texture goes 2 pixels a frame, 8 in the clip's next frame, scaled as the crop is."""
    config = load("motionmae/vit-b_ucf101_optical-flow")
    config.train_dataloader.dataset.pipeline.flip = None
    data = samples(config, videos)
    sample = data["data_samples"][0]
    seen = torch.as_tensor(sample.covisible).bool()
    flow = torch.as_tensor(sample.flow)[seen]
    across, down = flow.median(dim=0).values.tolist()
    # Crops are 240 to .66 x 240 pixels wide, and become 224.
    assert 8 * 224 / 240 - 0.5 < across < 8 * 224 / (0.66 * 240) + 0.5
    assert abs(down) < 0.5


def test_an_encoder_of_16_frames_fills_one_of_32_but_for_its_positions(tmp_path):
    """vit-l_ssv2_motionmae_32-frames.py: positions are a formula, and stay those of 32 frames."""
    narrower = dict(img_size=32, embed_dims=24, depth=1, num_heads=2)
    pretrained = load("motionmae/vit-l_ssv2").model.backbone
    tuned = load("finetune/vit-l_ssv2_motionmae_32-frames").model.backbone
    for backbone in (pretrained, tuned):
        backbone.update(narrower)
        backbone.pop("arch")
    short, long = MODELS.build(pretrained), MODELS.build(tuned)
    with torch.no_grad():
        for parameter in short.parameters():
            parameter.uniform_(-1, 1)
    positions = long.pos_embed.clone()
    assert positions.shape[1] == 2 * short.pos_embed.shape[1]
    torch.save(short.state_dict(), tmp_path / "encoder.pth")
    load_checkpoint(long, str(tmp_path / "encoder.pth"), logger="silent")
    loaded = long.state_dict()
    for key, value in short.state_dict().items():
        if key != "pos_embed" and not key.startswith("norm."):
            torch.testing.assert_close(loaded[key], value, rtol=0, atol=0)
    assert torch.equal(long.pos_embed, positions)
    assert torch.equal(positions[:, : short.pos_embed.shape[1]], short.pos_embed)
