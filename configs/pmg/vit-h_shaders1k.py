"""PMG with ViT-H (VideoMAE's huge encoder, decoder 640 wide); not in the paper, not run yet.

A GPU of 40 GB holds its 32 clips in bf16, computed, not run: `tools/benchmark.py memory --size
huge:16:224:1 --mask-ratio 0.75`. backbone.with_cp=True makes room for more, at a third more
arithmetic, computed, not run.

    tools/dist_train.sh configs/pmg/vit-h_shaders1k.py 8
"""

_base_ = "./vit-b_shaders1k.py"
model = dict(
    backbone=dict(arch="huge"),
    branches=dict(pixel=dict(neck=dict(embed_dims=640, num_heads=8))),
)
