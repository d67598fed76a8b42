"""MotionMAE's arm without frames, on SSv2, 400 epochs: 67.6 after fine-tuning (Table 5a).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_motion-only.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(branches=dict(pixel=None))
