"""The toy encoder with tokens of 2 x 16 x 16 on mixed clips of 120 photographs: 45,000 clips.

tools/train.py configs/pmg/vit-toy-p16_photographs.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy-p16.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy_batch-8.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
train_dataloader = dict(batch_size=8)
train_cfg = dict(max_epochs=375)
