"""PMG with ViT-L (VideoMAE's large encoder, decoder 512 wide); not in the paper, not run yet.

A GPU of 40 GB holds its 32 clips in bf16, computed, not run: `tools/benchmark.py memory --size
large:16:224:1 --mask-ratio 0.75`.

    tools/dist_train.sh configs/pmg/vit-l_shaders1k.py 8
"""

_base_ = "./vit-b_shaders1k.py"
model = dict(
    backbone=dict(arch="large"),
    branches=dict(pixel=dict(neck=dict(embed_dims=512, num_heads=8))),
)
