"""MotionMAE's arm without motion, on UCF101: 93.1 after fine-tuning (Table 7).

VideoMAE at MotionMAE's settings. (VideoMAE itself, at its own, is videomae/vit-b_ucf101.py.)

    tools/dist_train.sh configs/motionmae/vit-b_ucf101_frame-only.py 8
"""

_base_ = "./vit-b_ucf101.py"
model = dict(branches=dict(motion=None))
