"""The toy DEMVM with random masking, on the very clips of swin-toy_photographs.py.

tools/train.py configs/demvm/swin-toy_photographs_random.py
"""

_base_ = [
    "../_base_/models/demvm_swin-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/demvm_runtime.py",
]
model = dict(masker=dict(dense=0.5, sparse=0.5))
default_hooks = dict(masking_ratio=dict(period=1250))
train_cfg = dict(max_epochs=125)
