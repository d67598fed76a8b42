"""MotionMAE for two CPU cores, with the exact flow of its pseudo-motion clips as the motion.

Beyond the paper, whose Table 7 has estimated flow. Same clips as vit-toy_photographs.py. The loss is
weighted so that predicting no motion costs as much as predicting each token's mean in the pixels: 1.

    tools/train.py configs/motionmae/vit-toy_photographs_exact-flow.py
"""

_base_ = [
    "../_base_/models/motionmae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
model = dict(
    data_preprocessor=dict(with_flow=True),
    branches=dict(
        motion=dict(head=dict(loss_weight=13.6, target=dict(_delete_=True, type="FlowTarget")))
    ),
)
train_cfg = dict(max_epochs=125)
