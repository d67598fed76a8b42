"""MotionMAE on UCF101, 90 % masked, not 75 %: 92.7 after fine-tuning (Table 9).

tools/dist_train.sh configs/motionmae/vit-b_ucf101_mask-90.py 8
"""

_base_ = "./vit-b_ucf101.py"
model = dict(masker=dict(mask_ratio=0.9))
