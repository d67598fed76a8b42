"""PMG, supplement, Table 2: AdamW, lr 1e-3 for a batch of 128, layer decay .75, 100 epochs."""

optim_wrapper = dict(
    type="AutocastOptimWrapper",
    optimizer=dict(type="FusedAdamW", lr=1e-3, betas=(0.9, 0.999), weight_decay=0.05),
    constructor="EncoderLayerDecayConstructor",
    paramwise_cfg=dict(decay_rate=0.75, decay_type="layer_wise"),
)
param_scheduler = [
    dict(
        type="LinearLRByUpdate",
        start_factor=1e-3,
        by_epoch=True,
        begin=0,
        end=5,
        convert_to_iter_based=True,
    ),
    dict(
        type="CosineAnnealingLRByUpdate",
        eta_min_ratio=1e-3,
        by_epoch=True,
        begin=5,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=100, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
auto_scale_lr = dict(enable=False, base_batch_size=128)
