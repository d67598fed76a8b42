"""A small 3D tokenizer on two CPU cores: pseudo-motion clips of 120 photographs, 16 x 32 x 32.

Clips of 64 pixels, halved as for the toy recipes of configs/demvm. docs/tokenizers.md has what came
out.

    tools/train.py configs/tokenizer/vqvae3d_toy_photographs.py
"""

_base_ = [
    "../_base_/models/vqvae3d_toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/tokenizer.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=8)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=8)
