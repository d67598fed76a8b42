"""MotionMAE on SSv2, decoders 128 wide, 400 epochs: 67.5 after fine-tuning (Table 5d).

The paper does not name the heads: 64 numbers each, as at 384 and 512.

    NNODES=4 tools/dist_train.sh configs/motionmae/vit-b_ssv2_400e_width-128.py 8
"""

_base_ = "./vit-b_ssv2_400e.py"
model = dict(
    branches=dict(
        pixel=dict(neck=dict(embed_dims=128, num_heads=2)),
        motion=dict(neck=dict(embed_dims=128, num_heads=2)),
    )
)
