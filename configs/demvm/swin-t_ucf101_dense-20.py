"""DEMVM on UCF101, P_den .2 and P_spr .8: 87.4 after fine-tuning (Table 6).

tools/dist_train.sh configs/demvm/swin-t_ucf101_dense-20.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.2, sparse=0.8))
