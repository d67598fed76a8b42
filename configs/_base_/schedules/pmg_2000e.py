"""PMG, supplement, Table 1: AdamW, lr 1e-3 for a batch of 256, cosine over 2000 epochs."""

optim_wrapper = dict(
    type="AutocastOptimWrapper",
    optimizer=dict(type="FusedAdamW", lr=1e-3, betas=(0.9, 0.95), weight_decay=0.05),
    # No decay on biases, norms and the mask token, as in VideoMAE.
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        flat_decay_mult=0.0,
        custom_keys=dict(mask_token=dict(decay_mult=0.0)),
    ),
)
param_scheduler = [
    dict(
        type="LinearLRByUpdate",
        start_factor=1e-3,
        by_epoch=True,
        begin=0,
        end=40,
        convert_to_iter_based=True,
    ),
    # Ends with max_epochs, so that a delta changes the length in one place.
    dict(
        type="CosineAnnealingLRByUpdate",
        eta_min=1e-5,
        by_epoch=True,
        begin=40,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=2000)
auto_scale_lr = dict(enable=False, base_batch_size=256)
