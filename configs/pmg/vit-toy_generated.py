"""A ViT for two CPU cores, pre-trained on shader images that its own workers make.

Not from the paper: 16 x 64 x 64, encoder 6 x 192, for trying things and for the tables that this
repository measures itself.

    tools/train.py configs/pmg/vit-toy_generated.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy.py",
    "../_base_/datasets/pmg_generated_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
