"""DEMVM on UCF101, P_den .3 and P_spr .7: 87.6 after fine-tuning (Table 6).

tools/dist_train.sh configs/demvm/swin-t_ucf101_dense-30.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.3, sparse=0.7))
