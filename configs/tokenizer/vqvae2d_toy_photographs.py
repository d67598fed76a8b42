"""A small tokenizer of lone frames on two CPU cores: vqvae3d_toy_photographs.py, but for the type.

tools/train.py configs/tokenizer/vqvae2d_toy_photographs.py
"""

_base_ = [
    "../_base_/models/vqvae3d_toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/tokenizer.py",
    "../_base_/default_runtime.py",
]
model = dict(type="VQVAE2D")
train_dataloader = dict(batch_size=8)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=8)
