"""DEMVM on UCF101 with random masking: 87.6 (Tables 6 and 7), 8.3 on Mimetics (Table 4).

P_den = P_spr: "FGDM degenerates to the normal random mask" (Sec. 4.3). Table 7's row of PMR without
FGDM has the number of Table 6's .5 and .5, and PMR's two ratios need such a mask: one recipe. No
motion map is needed.

    tools/dist_train.sh configs/demvm/swin-t_ucf101_random.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(dense=0.5, sparse=0.5))
train_dataloader = dict(dataset=dict(pipeline=dict(motion=None)))
