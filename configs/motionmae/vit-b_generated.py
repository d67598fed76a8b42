"""MotionMAE on 100,000 procedural shader images that the data workers make: nothing to download.

As vit-b_shaders1k.py; plain VideoMAE on the same clips is pmg/vit-b_generated.py. Not run.

    tools/dist_train.sh configs/motionmae/vit-b_generated.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="ShaderImages", size=256),
        subset="first",  # the first images of a generator are balanced over its categories
    )
)
