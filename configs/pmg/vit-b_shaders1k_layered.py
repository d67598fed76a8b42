"""PMG with motion of parts, on 100,000 images of Shaders1k: beyond the paper, which names its lack.

Three clips of four are layered: parts of other images move, accelerate and deform over a moving
background. The fourth bends smoothly. docs/motion.md shows them. Not run yet.

    tools/dist_train.sh configs/pmg/vit-b_shaders1k_layered.py 8
"""

_base_ = "./vit-b_shaders1k.py"
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
