"""PMG on 100,000 procedural shader images that the data workers make: nothing to download.

Not in the paper; the nearest row is Shaders1k (Table 7).

    tools/dist_train.sh configs/pmg/vit-b_generated.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="ShaderImages", size=256),
        subset="first",  # the first images of a generator are balanced over its categories
    )
)
