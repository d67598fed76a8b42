"""DEMVM on UCF101, P_den .4 and P_spr .6: 87.8 after fine-tuning (Table 6).

tools/dist_train.sh configs/demvm/swin-t_ucf101_dense-40.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.4, sparse=0.6))
