"""MotionMAE on SSv2, decoders of 8 blocks, 400 epochs: 68.2 after fine-tuning (Table 5e).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_depth-8.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(
    branches=dict(
        pixel=dict(neck=dict(depth=8)),
        motion=dict(neck=dict(depth=8)),
    )
)
