"""Pseudo-motion clips of Shaders1k for DEMVM: 6 clips a GPU, and where their motions move them."""

_base_ = "./pmg_shaders1k.py"
train_dataloader = dict(
    batch_size=6,
    dataset=dict(
        pipeline=dict(
            motion_map=dict(_delete_=True, type="MotionMap"),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    ),
)
