"""MotionMAE on SSv2, frames to motion 2:1, 400 epochs: 68.3 after fine-tuning (Table 5b).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_weights-2-1.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(branches=dict(pixel=dict(head=dict(loss_weight=2.0))))
