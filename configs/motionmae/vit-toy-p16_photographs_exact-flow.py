"""MotionMAE with exact flow, beyond the paper, on the clips of vit-toy-p16_photographs.py.

The loss is weighted so that predicting no motion costs as much as predicting each token's mean in the
pixels: 1. Flow counts in sides of a token, which are twice as long as vit-toy's: four times its weight.

    tools/train.py configs/motionmae/vit-toy-p16_photographs_exact-flow.py
"""

_base_ = "./vit-toy-p16_photographs.py"
model = dict(
    data_preprocessor=dict(with_flow=True),
    branches=dict(
        motion=dict(head=dict(loss_weight=54.4, target=dict(_delete_=True, type="FlowTarget")))
    ),
)
