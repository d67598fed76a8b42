"""MotionMAE, ViT-L, on UCF101 split 1: no run of the paper's; Table 6a's batch, rate and epochs.

Decoders 512 wide, 8 heads; a batch of 128, lr 1.5e-4 x 128 / 256 = 7.5e-5. Not run.

    tools/dist_train.sh configs/motionmae/vit-l_ucf101.py 8
"""

_base_ = "./vit-b_ucf101.py"
model = dict(
    backbone=dict(arch="large"),
    branches=dict(
        pixel=dict(neck=dict(embed_dims=512, num_heads=8)),
        motion=dict(neck=dict(embed_dims=512, num_heads=8)),
    ),
)
