"""Pseudo-motion clips of 16 x 112 x 112 from 12,000 shader images made in the data workers.

96 clips a step, so that 12,000, 480 or 96 images are whole steps.
"""

_base_ = "./pmg_shaders1k.py"
train_dataloader = dict(
    batch_size=96,
    dataset=dict(
        images=dict(
            _delete_=True,
            type="ShaderImages",
            num_categories=1200,
            images_per_category=10,
            size=128,
        ),
        num_images=None,
        subset="first",
        pipeline=dict(crop=dict(input_size=112), resize=dict(scale=(112, 112))),
    ),
)
