"""The toy VideoMAE on VideoMAE's own tokens, 2 x 16 x 16: 128 of them, half as many to compute."""

_base_ = "./videomae_vit-toy.py"
model = dict(backbone=dict(patch_size=16, tubelet_size=2))
