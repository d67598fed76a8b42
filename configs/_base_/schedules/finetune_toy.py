"""Fine-tuning on two CPU cores: 20 epochs, lr 1e-3 for a batch of 16, all layers alike."""

optim_wrapper = dict(
    type="AutocastOptimWrapper",
    optimizer=dict(type="FusedAdamW", lr=1e-3, betas=(0.9, 0.999), weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0, flat_decay_mult=0.0),
)
param_scheduler = [
    dict(type="LinearLRByUpdate", start_factor=1e-3, by_epoch=False, begin=0, end=30),
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-6, by_epoch=False, begin=30),
]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=20, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
auto_scale_lr = dict(enable=False, base_batch_size=16)
