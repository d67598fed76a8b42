"""DEMVM on UCF101, P_den .9 and P_spr .1: 88.2 after fine-tuning (Table 6).

tools/dist_train.sh configs/demvm/swin-t_ucf101_dense-90.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.9, sparse=0.1))
