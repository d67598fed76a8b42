"""For studies on two CPU cores: lr 1e-3 for a batch of 8, 280 steps of warm-up, then a cosine.

On a CPU a small batch costs no more a clip, and four times the updates teach more.
"""

_base_ = "./toy.py"
param_scheduler = [
    dict(type="LinearLRByUpdate", start_factor=1e-3, by_epoch=False, begin=0, end=280),
    # Ends with the run, so that a delta changes the length in one place.
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=False, begin=280),
]
auto_scale_lr = dict(base_batch_size=8)
