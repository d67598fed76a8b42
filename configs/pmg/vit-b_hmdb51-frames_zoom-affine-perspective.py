"""PMG on frames of HMDB51 with ZoomInOut, Affine and Perspective, unmixed: a combination of Table 3.

tools/dist_train.sh configs/pmg/vit-b_hmdb51-frames_zoom-affine-perspective.py 8
"""

_base_ = "./vit-b_hmdb51-frames.py"
model = dict(data_preprocessor=dict(blending=None))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(
                ops=dict(
                    _delete_=True,
                    zoom=dict(type="ZoomInOut"),
                    affine=dict(type="Affine"),
                    perspective=dict(type="Perspective"),
                )
            )
        )
    )
)
