"""MotionMAE, Table 6a, at the length of its ablations (Table 5): 400 epochs, 40 of them warm-up.

The linear rule: lr = 1.5e-4 x 1024 / 256 = 6e-4. The paper names neither the rate that the warm-up
starts from nor the cosine's floor; it follows VideoMAE, whose script scales 1e-6 and 1e-5 by the
same rule. Here they are shares of the rate, so that a delta changes the rate in one place.
"""

_base_ = "./pmg_2000e.py"
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(
        type="LinearLRByUpdate",
        start_factor=1 / 150,
        by_epoch=True,
        begin=0,
        end=40,
        convert_to_iter_based=True,
    ),
    dict(
        type="CosineAnnealingLRByUpdate",
        eta_min_ratio=1 / 15,
        by_epoch=True,
        begin=40,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=400)
auto_scale_lr = dict(base_batch_size=1024)
