"""VideoMAE for one GPU: ViT-S on 12,000 clips of Video Perlin Noise, 16 x 112 x 112. Not run yet.

tools/train.py configs/videomae/vit-s_perlin_112px.py
"""

_base_ = [
    "../_base_/models/videomae_vit-s_112.py",
    "../_base_/datasets/perlin_clips.py",
    "../_base_/schedules/small.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(
    batch_size=96,
    dataset=dict(
        num_categories=1200,
        size=128,
        pipeline=dict(crop=dict(input_size=112), resize=dict(scale=(112, 112))),
    ),
)
