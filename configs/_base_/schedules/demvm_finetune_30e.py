"""DEMVM, Sec. 4.1: fine-tuning for 30 epochs, "other configurations are consistent with pre-training".

All layers learn at one rate: Sec. 3.4 gives the encoder's smaller one for what pre-training asks of
image weights, and Table 7 counts it among the parts of pre-training. The other reading is
--cfg-options optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult=0.005.
"""

_base_ = "./demvm_10e.py"
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=1.0), mask_token=None))
)
train_cfg = dict(max_epochs=30, val_interval=5)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
