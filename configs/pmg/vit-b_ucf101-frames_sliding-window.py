"""PMG on frames of UCF101 with SlidingWindow alone, unmixed: UCF101 75.1 (Table 2).

tools/dist_train.sh configs/pmg/vit-b_ucf101-frames_sliding-window.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
model = dict(data_preprocessor=dict(blending=None))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(
                ops=dict(
                    _delete_=True,
                    sliding_window=dict(type="SlidingWindow"),
                )
            )
        )
    )
)
