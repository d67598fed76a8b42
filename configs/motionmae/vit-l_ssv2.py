"""MotionMAE, ViT-L, on Something-Something V2: 74.6 on 16 frames, 75.5 on 32 (Table 1).

MotionMAE, Table 6a: decoders 512 wide (8 heads, as VideoMAE's), 2400 epochs, 4 x 8 GPUs x 16
clips a step, lr 1.5e-4 x 512 / 256 = 3e-4. Not run.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-l_ssv2.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(
    backbone=dict(arch="large"),
    branches=dict(
        pixel=dict(neck=dict(embed_dims=512, num_heads=8)),
        motion=dict(neck=dict(embed_dims=512, num_heads=8)),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
train_dataloader = dict(batch_size=16)
train_cfg = dict(max_epochs=2400)
auto_scale_lr = dict(base_batch_size=512)
