"""MotionMAE for one GPU: ViT-S on unmixed pseudo-motion clips of 16 x 112 x 112; minutes. Not run yet.

The same clips, byte for byte, as pmg/vit-s_generated_112px_unmixed.py (VideoMAE) and
vit-s_generated_112px_exact-flow.py.

    tools/train.py configs/motionmae/vit-s_generated_112px_unmixed.py
"""

_base_ = [
    "../_base_/models/motionmae_vit-s_112.py",
    "../_base_/datasets/pmg_generated_112.py",
    "../_base_/schedules/small.py",
    "../_base_/default_runtime.py",
]
