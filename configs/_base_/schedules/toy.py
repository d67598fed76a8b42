"""For two CPU cores: 10 epochs, lr 1e-3 for a batch of 32, 50 steps of warm-up, then a cosine."""

_base_ = "./pmg_2000e.py"
param_scheduler = [
    dict(type="LinearLRByUpdate", start_factor=1e-3, by_epoch=False, begin=0, end=50),
    # Ends with the run, so that a delta changes the length in one place.
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=False, begin=50),
]
train_cfg = dict(max_epochs=10)
auto_scale_lr = dict(base_batch_size=32)
