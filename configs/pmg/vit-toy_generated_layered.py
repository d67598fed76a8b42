"""PMG with motion of parts, for two CPU cores: 16 x 64 x 64, on shader images that its own workers make.

Three clips of four are layered: parts of other images move, accelerate and deform over a moving
background. The fourth bends smoothly. docs/motion.md shows them. It runs; what it is
worth in accuracy has not been measured.

    tools/train.py configs/pmg/vit-toy_generated_layered.py
"""

_base_ = "./vit-toy_generated.py"
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(
                ops=dict(
                    _delete_=True,
                    layered=dict(type="Layered", weight=3.0),
                    bent=dict(type="SmoothDisplacement"),
                )
            )
        )
    )
)
