"""VideoMAE on UCF101: base lr 3e-4, batch 192, so lr 2.25e-4; 40 epochs of warm-up, 3200 in all.

The script scales all three rates by 192 / 256: lr from 3e-4, its floor from 1e-5, the start of the
warm-up from 1e-6.
"""

_base_ = "./pmg_2000e.py"
optim_wrapper = dict(optimizer=dict(lr=2.25e-4))
param_scheduler = [
    dict(
        type="LinearLRByUpdate",
        start_factor=1 / 300,
        by_epoch=True,
        begin=0,
        end=40,
        convert_to_iter_based=True,
    ),
    dict(
        type="CosineAnnealingLRByUpdate",
        eta_min=7.5e-6,
        by_epoch=True,
        begin=40,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=3200)
auto_scale_lr = dict(base_batch_size=192)
