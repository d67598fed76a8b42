"""The toy encoder, frozen, and label propagation: tokens of 4 x 8 x 8, encoder 6 x 192."""

_base_ = "./segmenter_vit-b.py"
model = dict(backbone=dict(arch="tiny", depth=6, img_size=64, patch_size=8, tubelet_size=4))
