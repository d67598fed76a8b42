"""PMG with ViT-S (VideoMAE's small encoder, decoder 192 wide); not in the paper.

tools/dist_train.sh configs/pmg/vit-s_shaders1k.py 8
"""

_base_ = "./vit-b_shaders1k.py"
model = dict(
    backbone=dict(arch="small"),
    branches=dict(pixel=dict(neck=dict(embed_dims=192, num_heads=3))),
)
