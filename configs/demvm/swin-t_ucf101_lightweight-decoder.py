"""DEMVM on UCF101, its tokenizer and decoder alone: 86.5 after fine-tuning (Table 7).

Random tubes as in swin-t_ucf101_stratified-rate.py; the encoder learns at the full rate.

    tools/dist_train.sh configs/demvm/swin-t_ucf101_lightweight-decoder.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(masker=dict(_delete_=True, type="TubeMasker", mask_ratio=0.72))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=1.0))))
default_hooks = dict(masking_ratio=None)
train_dataloader = dict(dataset=dict(pipeline=dict(motion=None)))
