"""The toy DEMVM with random masking, on the very clips of swin-toy_gestures.py.

tools/train.py configs/demvm/swin-toy_gestures_random.py
"""

_base_ = [
    "../_base_/models/demvm_swin-toy.py",
    "../_base_/datasets/videos_gestures_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/demvm_runtime.py",
]
model = dict(masker=dict(dense=0.5, sparse=0.5))
default_hooks = dict(masking_ratio=dict(period=800))
train_cfg = dict(max_epochs=80)
