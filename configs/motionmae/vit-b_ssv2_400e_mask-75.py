"""MotionMAE on SSv2, 75 % masked, not 90 %, 400 epochs: 66.0 after fine-tuning (Table 9).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_mask-75.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(masker=dict(mask_ratio=0.75))
