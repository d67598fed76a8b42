"""MotionMAE on SSv2, smooth L1 loss in both heads, 400 epochs: 67.5 after fine-tuning (Table 5f).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_smooth-l1.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(
    branches=dict(
        pixel=dict(head=dict(loss="smooth_l1")),
        motion=dict(head=dict(loss="smooth_l1")),
    )
)
