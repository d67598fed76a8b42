"""Fine-tune ViT-L on Something-Something V2: MotionMAE, Table 6b; 74.6 in the paper (Table 1).

20 epochs, 4 x 8 GPUs x 8 videos a step, two draws of each, lr 5e-4 x 256 / 256 = 5e-4, drop path
.2. Otherwise as vit-b_ssv2_motionmae.py. Not run.

    NNODES=4 tools/dist_train.sh configs/finetune/vit-l_ssv2_motionmae.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ssv2_motionmae.py"
model = dict(
    backbone=dict(arch="large", drop_path_rate=0.2),
    cls_head=dict(in_channels=1024),
)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_dataloader = dict(batch_size=8)
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=256)
