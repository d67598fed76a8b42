"""VideoMAE with a ViT-S encoder on 16 x 112 x 112, 392 tokens, with a decoder of 4 x 192."""

_base_ = "./videomae_vit-b.py"
model = dict(
    backbone=dict(arch="small", img_size=112),
    branches=dict(pixel=dict(neck=dict(embed_dims=192, num_heads=3))),
)
