"""Linear probing on two CPU cores: SGD, lr .0125 for a batch of 16, 40 epochs."""

_base_ = "./linear_probe_100e.py"
optim_wrapper = dict(optimizer=dict(lr=0.0125))
param_scheduler = [
    dict(type="LinearLRByUpdate", start_factor=1e-3, by_epoch=False, begin=0, end=30),
    dict(type="CosineAnnealingLRByUpdate", eta_min=0.0, by_epoch=False, begin=30),
]
train_cfg = dict(max_epochs=40)
auto_scale_lr = dict(base_batch_size=16)
