"""The toy encoder, frozen, under a linear layer."""

_base_ = "./recognizer_vit-toy.py"
model = dict(backbone=dict(frozen=True), cls_head=dict(init_std=0.01))
