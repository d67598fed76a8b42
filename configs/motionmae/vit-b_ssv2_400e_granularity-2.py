"""MotionMAE on SSv2, motion over 2 frames, 400 epochs: 67.8 after fine-tuning (Table 5c).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_granularity-2.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(branches=dict(motion=dict(head=dict(target=dict(granularity=2)))))
