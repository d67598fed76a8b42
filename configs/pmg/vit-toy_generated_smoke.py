"""Does it run at all? Two epochs of 64 clips; a minute on two CPU cores.

tools/train.py configs/pmg/vit-toy_generated_smoke.py
"""

_base_ = "./vit-toy_generated.py"
train_dataloader = dict(batch_size=8, dataset=dict(num_images=64))
train_cfg = dict(max_epochs=2)
default_hooks = dict(logger=dict(interval=4), checkpoint=dict(interval=1))
log_processor = dict(window_size=8)
# 16 steps in all: less than the base's warm-up.
param_scheduler = [
    dict(type="LinearLRByUpdate", start_factor=1e-3, by_epoch=False, begin=0, end=4),
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=False, begin=4),
]
auto_scale_lr = dict(base_batch_size=8)
