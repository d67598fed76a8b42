"""Linear probing: SGD, lr .05 for a batch of 128, no decay, 10 epochs of warm-up, 100 in all.

The paper is silent, and VideoMAE's authors published no script either. MAE's linear probing has a
rate of .1 for 256 samples, momentum .9, no weight decay, 10 epochs of warm-up and a cosine, with
LARS on batches of 16,384. Here the batch is Table 2's 128, of which IkeaFA has 13 an epoch, so
plain SGD does.
"""

optim_wrapper = dict(
    type="AutocastOptimWrapper",
    optimizer=dict(type="SGD", lr=0.05, momentum=0.9, weight_decay=0.0),
)
param_scheduler = [
    dict(
        type="LinearLRByUpdate",
        start_factor=1e-3,
        by_epoch=True,
        begin=0,
        end=10,
        convert_to_iter_based=True,
    ),
    dict(
        type="CosineAnnealingLRByUpdate",
        eta_min=0.0,
        by_epoch=True,
        begin=10,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=100, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
auto_scale_lr = dict(enable=False, base_batch_size=128)
