"""PMG on frames of UCF101 with ColorJitter alone, unmixed: UCF101 76.2 (Table 2).

tools/dist_train.sh configs/pmg/vit-b_ucf101-frames_color-jitter.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
model = dict(data_preprocessor=dict(blending=None))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(
                ops=dict(
                    _delete_=True,
                    color_jitter=dict(type="ColorJitter"),
                )
            )
        )
    )
)
