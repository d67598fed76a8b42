"""Does it run at all? Two epochs of 64 clips; a minute on two CPU cores.

tools/train.py configs/pmg/vit-toy_generated_smoke.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy.py",
    "../_base_/datasets/pmg_generated_64.py",
    "../_base_/schedules/smoke.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
train_dataloader = dict(batch_size=8, dataset=dict(num_images=64))
default_hooks = dict(logger=dict(interval=4), checkpoint=dict(interval=1))
log_processor = dict(window_size=8)
