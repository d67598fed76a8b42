"""MotionMAE on SSv2, decoders of 1 block, 400 epochs: 67.4 after fine-tuning (Table 5e).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_depth-1.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(
    branches=dict(
        pixel=dict(neck=dict(depth=1)),
        motion=dict(neck=dict(depth=1)),
    )
)
