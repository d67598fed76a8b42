"""DEMVM on UCF101, P_den .6 and P_spr .4: 88.7 after fine-tuning (Table 6).

tools/dist_train.sh configs/demvm/swin-t_ucf101_dense-60.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.6, sparse=0.4))
