"""Two epochs of 8 steps of 8 clips, to see whether something runs."""

_base_ = "./toy.py"
train_cfg = dict(max_epochs=2)
# 16 steps in all: less than the base's warm-up.
param_scheduler = [
    dict(type="LinearLRByUpdate", start_factor=1e-3, by_epoch=False, begin=0, end=4),
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=False, begin=4),
]
auto_scale_lr = dict(base_batch_size=8)
