"""For one GPU: 20 epochs, lr 1e-3 for a batch of 96, 100 steps of warm-up, then a cosine."""

_base_ = "./toy.py"
param_scheduler = [
    dict(type="LinearLRByUpdate", start_factor=1e-3, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=False, begin=100),
]
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=96)
