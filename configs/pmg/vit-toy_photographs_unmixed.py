"""The toy encoder on unmixed pseudo-motion clips of 120 photographs: 15,000 clips.

VideoMAE on the very clips of configs/motionmae/vit-toy_photographs.py, to compare with.

    tools/train.py configs/pmg/vit-toy_photographs_unmixed.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
train_cfg = dict(max_epochs=125)
