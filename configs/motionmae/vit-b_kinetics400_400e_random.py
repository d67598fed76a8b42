"""MotionMAE on Kinetics-400 with random masking: 78.8 after fine-tuning (Table 8).

NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_kinetics400_400e_random.py 8
"""

_base_ = "./vit-b_kinetics400_400e.py"
model = dict(masker=dict(type="SlotRandomMasker"))
