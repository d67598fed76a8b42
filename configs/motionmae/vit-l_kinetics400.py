"""MotionMAE, ViT-L, on Kinetics-400: 85.3 after fine-tuning (Table 2).

MotionMAE, Table 6a: decoders 512 wide (8 heads, as VideoMAE's), 1600 epochs, 4 x 8 GPUs x 16
clips a step, lr 1.5e-4 x 512 / 256 = 3e-4. Not run.
On Something-Something V2 it reaches 74.3 (Table 1).

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-l_kinetics400.py 8
"""

_base_ = "./vit-b_kinetics400_400e.py"
model = dict(
    backbone=dict(arch="large"),
    branches=dict(
        pixel=dict(neck=dict(embed_dims=512, num_heads=8)),
        motion=dict(neck=dict(embed_dims=512, num_heads=8)),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
train_dataloader = dict(batch_size=16)
train_cfg = dict(max_epochs=1600)
auto_scale_lr = dict(base_batch_size=512)
