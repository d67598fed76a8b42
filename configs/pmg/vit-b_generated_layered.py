"""PMG with motion of parts, on 100,000 procedural shader images that the data workers make.

Three clips of four are layered: parts of other images move, accelerate and deform over a moving
background. The fourth bends smoothly. docs/motion.md shows them. Not run yet.

    tools/dist_train.sh configs/pmg/vit-b_generated_layered.py 8
"""

_base_ = "./vit-b_generated.py"
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
