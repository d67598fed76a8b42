"""Recognizer on the toy encoder with VideoMAE's own tokens, 2 x 16 x 16."""

_base_ = "./recognizer_vit-toy.py"
model = dict(backbone=dict(patch_size=16, tubelet_size=2))
