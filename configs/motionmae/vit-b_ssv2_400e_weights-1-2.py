"""MotionMAE on SSv2, frames to motion 1:2, 400 epochs: 68.2 after fine-tuning (Table 5b).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_weights-1-2.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(branches=dict(motion=dict(head=dict(loss_weight=2.0))))
