"""MotionMAE with exact flow, beyond the paper, on the clips of vit-toy-p16_photographs.py.

The loss is weighted so that predicting no motion costs as much as predicting each token's mean in the
pixels: 1. Flow counts in sides of a token, which are twice as long as vit-toy's: four times its weight.

    tools/train.py configs/motionmae/vit-toy-p16_photographs_exact-flow.py
"""

_base_ = [
    "../_base_/models/motionmae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy_batch-8.py",
    "../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(patch_size=16, tubelet_size=2),
    data_preprocessor=dict(with_flow=True),
    branches=dict(
        motion=dict(head=dict(loss_weight=54.4, target=dict(_delete_=True, type="FlowTarget")))
    ),
)
train_dataloader = dict(batch_size=8)
train_cfg = dict(max_epochs=375)
