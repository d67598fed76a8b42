"""PMG on frames of HMDB51 with Perspective and CutMix, unmixed: a combination of Table 3.

tools/dist_train.sh configs/pmg/vit-b_hmdb51-frames_perspective-cutmix.py 8
"""

_base_ = "./vit-b_hmdb51-frames.py"
model = dict(data_preprocessor=dict(blending=None))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(
                ops=dict(
                    _delete_=True,
                    perspective=dict(type="Perspective"),
                    cutmix=dict(type="CutMix"),
                )
            )
        )
    )
)
