"""The toy encoder on pseudo-motion clips of 120 photographs: 15,000 clips, as vit-toy_generated.

tools/train.py configs/pmg/vit-toy_photographs.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
train_cfg = dict(max_epochs=125)
