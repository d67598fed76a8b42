"""DEMVM on UCF101 with random tubes and neither PMR nor FGDM: 86.9 after fine-tuning (Table 7).

Tubes as in the baseline; the paper names no ratio: .72 = .8 x .9, as many tokens as FGDM masks at
the end of its schedule.

    tools/dist_train.sh configs/demvm/swin-t_ucf101_stratified-rate.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(_delete_=True, type="TubeMasker", mask_ratio=0.72))
default_hooks = dict(masking_ratio=None)
train_dataloader = dict(dataset=dict(pipeline=dict(motion=None)))
