"""ViT-S on unmixed pseudo-motion clips of 16 x 112 x 112, for one GPU; minutes. Not run yet.

VideoMAE on the very clips of motionmae/vit-s_generated_112px_unmixed.py, to compare with.

    tools/train.py configs/pmg/vit-s_generated_112px_unmixed.py
"""

_base_ = [
    "../_base_/models/videomae_vit-s_112.py",
    "../_base_/datasets/pmg_generated_112.py",
    "../_base_/schedules/small.py",
    "../_base_/default_runtime.py",
]
