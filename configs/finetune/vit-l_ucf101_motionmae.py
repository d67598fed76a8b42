"""Fine-tune ViT-L on UCF101 split 1: MotionMAE, Table 6b's drop path .2; the paper has no such run.

Otherwise as vit-b_ucf101_motionmae.py.

    tools/dist_train.sh configs/finetune/vit-l_ucf101_motionmae.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ucf101_motionmae.py"
model = dict(
    backbone=dict(arch="large", drop_path_rate=0.2),
    cls_head=dict(in_channels=1024),
)
