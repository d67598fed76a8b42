"""DEMVM, Sec. 4.1: Adam, lr 5e-5 for a batch of 24, weight decay 1e-5, 10 epochs.

"Adam" is taken at its word: the decay is added to the gradient, and of all weights. The encoder
learns at 5e-3 times the rate (Sec. 3.4), but for the mask token, which no image model has taught
anything. The paper calls 5e-5 "initial" and says no more: one epoch of warm-up from 1/300 of the
rate, and half a cosine to 1/30, which are the ends of VideoMAE's schedule on UCF101. It names no
betas: torch's.
"""

optim_wrapper = dict(
    type="AutocastOptimWrapper",
    optimizer=dict(type="Adam", lr=5e-5, betas=(0.9, 0.999), weight_decay=1e-5),
    paramwise_cfg=dict(
        # The longest key that fits counts.
        custom_keys=dict(backbone=dict(lr_mult=5e-3), mask_token=dict(lr_mult=1.0))
    ),
)
param_scheduler = [
    dict(
        type="LinearLRByUpdate",
        start_factor=1 / 300,
        by_epoch=True,
        begin=0,
        end=1,
        convert_to_iter_based=True,
    ),
    dict(
        type="CosineAnnealingLRByUpdate",
        eta_min_ratio=1 / 30,
        by_epoch=True,
        begin=1,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=10)
auto_scale_lr = dict(enable=False, base_batch_size=24)
