"""PMG on frames of HMDB51 with Perspective alone, unmixed: HMDB51 45.9 (Table 2).

tools/dist_train.sh configs/pmg/vit-b_hmdb51-frames_perspective.py 8
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
                )
            )
        )
    )
)
