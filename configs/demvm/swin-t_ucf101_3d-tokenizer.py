"""DEMVM on UCF101, its tokenizer alone: 85.8 after fine-tuning (Table 7).

The complex decoder of the baseline: x2 upsampling twice, with the encoder's features each time.

    tools/dist_train.sh configs/demvm/swin-t_ucf101_3d-tokenizer.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(
    masker=dict(_delete_=True, type="TubeMasker", mask_ratio=0.72),
    backbone=dict(out_indices=(1, 2, 3)),
    branches=dict(token=dict(neck=dict(_delete_=True, type="FusingSwinDecoder"))),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=1.0))))
default_hooks = dict(masking_ratio=None)
train_dataloader = dict(dataset=dict(pipeline=dict(motion=None)))
