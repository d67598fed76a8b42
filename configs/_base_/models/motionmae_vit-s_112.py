"""MotionMAE with a ViT-S encoder on 16 x 112 x 112: VideoMAE's, and a second decoder for motion."""

_base_ = "./motionmae_vit-b.py"
model = dict(
    backbone=dict(arch="small", img_size=112),
    branches=dict(
        pixel=dict(neck=dict(embed_dims=192, num_heads=3)),
        motion=dict(neck=dict(embed_dims=192, num_heads=3)),
    ),
)
