"""A 3D tokenizer that never saw a video: pseudo-motion clips of 100,000 images of Shaders1k.

As vqvae3d_ucf101.py, 200,000 steps of 32 clips (64 epochs of 3125). Beyond the papers. Not run.

    tools/train.py configs/tokenizer/vqvae3d_shaders1k.py
"""

_base_ = [
    "../_base_/models/vqvae3d.py",
    "../_base_/datasets/pmg_shaders1k.py",
    "../_base_/schedules/tokenizer.py",
    "../_base_/default_runtime.py",
]
train_cfg = dict(max_epochs=64)
