"""PMG for one GPU: ViT-S on 16 x 112 x 112, shader images that its own workers make; minutes.

Not from the paper: the larger size of the studies (docs/studies/index.md). 240,000 clips. Not run yet.

    tools/train.py configs/pmg/vit-s_generated_112px.py
"""

_base_ = [
    "../_base_/models/videomae_vit-s_112.py",
    "../_base_/datasets/pmg_generated_112.py",
    "../_base_/schedules/small.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
