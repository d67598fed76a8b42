"""MotionMAE for one GPU, with the exact flow of its pseudo-motion clips as the motion. Not run yet.

Beyond the paper. Same clips as vit-s_generated_112px_unmixed.py; the loss is weighted so that
predicting no motion costs as much as predicting each token's mean does in the pixels: 1.

    tools/train.py configs/motionmae/vit-s_generated_112px_exact-flow.py
"""

_base_ = [
    "../_base_/models/motionmae_vit-s_112.py",
    "../_base_/datasets/pmg_generated_112.py",
    "../_base_/schedules/small.py",
    "../_base_/default_runtime.py",
]
model = dict(
    data_preprocessor=dict(with_flow=True),
    branches=dict(
        motion=dict(head=dict(loss_weight=17.7, target=dict(_delete_=True, type="FlowTarget")))
    ),
)
