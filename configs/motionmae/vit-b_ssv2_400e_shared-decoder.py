"""MotionMAE on SSv2, one decoder under both heads, 400 epochs: 68.0 after fine-tuning (Table 10).

The heads alone (a linear layer each) are not shared.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_shared-decoder.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(branches=dict(motion=dict(neck="pixel")))
