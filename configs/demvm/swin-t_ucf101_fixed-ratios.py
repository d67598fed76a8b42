"""DEMVM on UCF101 without PMR: 88.2 after fine-tuning (Table 7, the row of FGDM alone).

The paper names no ratios for it: the ends of the schedule, .8 and .9, which are the masker's
defaults. At these the paper's formulas leave most slots to random masking: docs/demvm.md.

    tools/dist_train.sh configs/demvm/swin-t_ucf101_fixed-ratios.py 4
"""

_base_ = "./swin-t_ucf101.py"
default_hooks = dict(masking_ratio=None)
