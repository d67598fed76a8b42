"""MotionMAE on Kinetics-400 with time-only masking: 74.6 after fine-tuning (Table 8).

Of 8 slots of two frames int(.9 x 8) = 7 are masked.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_kinetics400_400e_time-only.py 8
"""

_base_ = "./vit-b_kinetics400_400e.py"
model = dict(masker=dict(type="FrameMasker"))
