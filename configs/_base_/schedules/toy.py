"""For two CPU cores: 10 epochs, lr 1e-3 for a batch of 32, 50 steps of warm-up, then a cosine."""

optim_wrapper = dict(
    type="AutocastOptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, betas=(0.9, 0.95), weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        flat_decay_mult=0.0,
        custom_keys=dict(mask_token=dict(decay_mult=0.0)),
    ),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-3, by_epoch=False, begin=0, end=50),
    # Ends with the run, so that a delta changes the length in one place.
    dict(type="CosineAnnealingLR", eta_min=1e-5, by_epoch=False, begin=50),
]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=10)
auto_scale_lr = dict(enable=False, base_batch_size=32)
