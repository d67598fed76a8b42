"""VideoGPT's training of its VQ-VAE: Adam, lr 3e-4 for a batch of 32, always the same rate.

In float32: nobody reports how its codebook bears bfloat16.
"""

optim_wrapper = dict(
    type="AutocastOptimWrapper",
    optimizer=dict(type="Adam", lr=3e-4, betas=(0.9, 0.999)),
    dtype="float32",
)
param_scheduler = None
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=100)
auto_scale_lr = dict(enable=False, base_batch_size=32)
