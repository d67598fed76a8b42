"""MotionMAE on pseudo-motion clips, predicting the exact flow of their motions: beyond both papers.

A mixture of two clips has no single flow, so that they are not mixed: set it against
vit-b_shaders1k_unmixed.py (temporal difference) and pmg/vit-b_shaders1k_unmixed.py (no motion).
The flow comes from the motion, on the model's device; nothing is estimated. Its loss is weighted so
that predicting no motion costs as much as predicting each token's mean does in the pixels: 1. Not run.

    tools/dist_train.sh configs/motionmae/vit-b_shaders1k_exact-flow.py 8
"""

_base_ = "./vit-b_shaders1k.py"
model = dict(
    data_preprocessor=dict(blending=None, with_flow=True),
    branches=dict(
        motion=dict(head=dict(loss_weight=4.4, target=dict(_delete_=True, type="FlowTarget")))
    ),
)
