"""The baseline of DEMVM on UCF101: 82.1 after fine-tuning (Table 7).

2D tokenizer frame by frame, random tubes, complex decoder, one rate for all.

    tools/dist_train.sh configs/demvm/swin-t_ucf101_baseline.py 4
"""

_base_ = "./swin-t_ucf101.py"
model = dict(
    masker=dict(_delete_=True, type="TubeMasker", mask_ratio=0.72),
    backbone=dict(out_indices=(1, 2, 3)),
    branches=dict(token=dict(
        neck=dict(_delete_=True, type="FusingSwinDecoder"),
        head=dict(target=dict(
            tokenizer=dict(type="VQVAE2D"),
            checkpoint="work_dirs/tokenizer/vqvae2d_ucf101/epoch_671.pth",
        )),
    )),
)  # fmt: skip
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=1.0))))
default_hooks = dict(masking_ratio=None)
train_dataloader = dict(dataset=dict(pipeline=dict(motion=None)))
