"""VideoMAE on 96 clips of Video Perlin Noise, tokens of 2 x 16 x 16: 46,080 clips.

Moving noise, to which no pseudo motion is applied: the paper's VPN baseline, small.

    tools/train.py configs/videomae/vit-toy-p16_perlin.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy-p16.py",
    "../_base_/datasets/perlin_clips.py",
    "../_base_/schedules/toy_batch-8.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    pin_memory=False,
    drop_last=False,
    dataset=dict(
        num_categories=96,
        clips_per_category=1,
        size=96,
        pipeline=dict(crop=dict(input_size=64), resize=dict(scale=(64, 64))),
    ),
)
train_cfg = dict(max_epochs=480)
