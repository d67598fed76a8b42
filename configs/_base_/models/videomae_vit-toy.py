"""VideoMAE for two CPU cores: 16 x 64 x 64, tokens of 4 x 8 x 8 (256 of them), encoder 6 x 192."""

_base_ = "./videomae_vit-b.py"
model = dict(
    backbone=dict(arch="tiny", depth=6, img_size=64, patch_size=8, tubelet_size=4),
    branches=dict(pixel=dict(neck=dict(embed_dims=96, depth=2, num_heads=3))),
)
