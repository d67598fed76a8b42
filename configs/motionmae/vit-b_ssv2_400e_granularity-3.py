"""MotionMAE on SSv2, motion over 3 frames, 400 epochs: 67.4 after fine-tuning (Table 5c).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_granularity-3.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(branches=dict(motion=dict(head=dict(target=dict(granularity=3)))))
