"""Fine-tune ViT-L on Kinetics-400: MotionMAE, Table 6b; 85.3 in the paper (Table 2).

35 epochs, 4 x 8 GPUs x 2 videos a step, two draws of each, lr 2e-3 x 64 / 256 = 5e-4, drop path .2.
Otherwise as vit-b_kinetics400_motionmae.py. Not run.

    NNODES=4 tools/dist_train.sh configs/finetune/vit-l_kinetics400_motionmae.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_kinetics400.py"
model = dict(
    backbone=dict(arch="large", drop_path_rate=0.2),
    cls_head=dict(in_channels=1024),
)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_dataloader = dict(batch_size=2)
train_cfg = dict(max_epochs=35)
auto_scale_lr = dict(base_batch_size=64)
