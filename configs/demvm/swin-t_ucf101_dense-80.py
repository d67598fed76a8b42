"""DEMVM on UCF101, P_den .8 and P_spr .2: 88.4 after fine-tuning (Table 6).

tools/dist_train.sh configs/demvm/swin-t_ucf101_dense-80.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.8, sparse=0.2))
