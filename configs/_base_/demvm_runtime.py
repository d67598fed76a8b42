"""The progressive masking ratio of DEMVM (Eq. 15 and 16; Sec. 4.1) beside what all runs have.

The paper runs 10 epochs of a schedule of 100: the last epoch masks .45 of the places in .48 of the
slots, and the ends are never reached.
"""

_base_ = "./default_runtime.py"
default_hooks = dict(
    masking_ratio=dict(
        type="MaskingRatioHook",
        ratios=dict(spatial_ratio=(0.3, 0.8), temporal_ratio=(0.3, 0.9)),
        period=100,
    )
)
