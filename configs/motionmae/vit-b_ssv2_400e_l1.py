"""MotionMAE on SSv2, L1 loss in both heads, 400 epochs: 67.6 after fine-tuning (Table 5f).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_l1.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(
    branches=dict(
        pixel=dict(head=dict(loss="l1")),
        motion=dict(head=dict(loss="l1")),
    )
)
