"""Pseudo-motion clips of 16 x 64 x 64 from shader images made in the data workers."""

_base_ = "./pmg_shaders1k.py"
train_dataloader = dict(
    num_workers=1,
    pin_memory=False,
    drop_last=False,
    dataset=dict(
        images=dict(
            _delete_=True, type="ShaderImages", num_categories=1500, images_per_category=1, size=96
        ),
        num_images=None,
        subset="first",
        pipeline=dict(crop=dict(input_size=64), resize=dict(scale=(64, 64))),
    ),
)
