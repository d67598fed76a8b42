"""MotionMAE on the clips of configs/pmg/vit-toy-p16_photographs_unmixed.py, byte for byte.

tools/train.py configs/motionmae/vit-toy-p16_photographs.py
"""

_base_ = [
    "../_base_/models/motionmae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy_batch-8.py",
    "../_base_/default_runtime.py",
]
model = dict(backbone=dict(patch_size=16, tubelet_size=2))
train_dataloader = dict(batch_size=8)
train_cfg = dict(max_epochs=375)
