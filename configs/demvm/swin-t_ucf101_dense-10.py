"""DEMVM on UCF101, P_den .1 and P_spr .9: 87.4 after fine-tuning (Table 6).

tools/dist_train.sh configs/demvm/swin-t_ucf101_dense-10.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.1, sparse=0.9))
