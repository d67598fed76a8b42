"""MotionMAE for two CPU cores, on pseudo-motion clips of 120 photographs: 15,000 clips.

The same clips, byte for byte, as configs/pmg/vit-toy_photographs_unmixed.py (VideoMAE) and
vit-toy_photographs_exact-flow.py; docs/motionmae.md compares them.

    tools/train.py configs/motionmae/vit-toy_photographs.py
"""

_base_ = [
    "../_base_/models/motionmae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
train_cfg = dict(max_epochs=125)
