"""The toy encoder on 120 clips of Video Perlin Noise: 15,000 clips, as pmg/vit-toy_photographs.py.

Moving noise, to which no pseudo motion is applied: the paper's VPN baseline, small.

    tools/train.py configs/videomae/vit-toy_perlin.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy.py",
    "../_base_/datasets/perlin_clips.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(
    num_workers=1,
    pin_memory=False,
    drop_last=False,
    dataset=dict(
        num_categories=120,
        clips_per_category=1,
        size=96,
        pipeline=dict(crop=dict(input_size=64), resize=dict(scale=(64, 64))),
    ),
)
train_cfg = dict(max_epochs=125)
