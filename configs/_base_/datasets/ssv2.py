"""Something-Something V2, all 174 classes, for recognition: frames spread evenly, no flip, 2 x 3 views.

MotionMAE, Table 6b and Sec. 4: repeated sampling 2, no flip, two clips that cover the video. How
frames are taken for fine-tuning it does not say: spread evenly over the video, as in VideoMAE.
"""

_base_ = "./ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/ssv2/ssv2_train_videos.txt",
        data_prefix=dict(video="data/ssv2/videos"),
        pipeline=dict(frames=dict(_delete_=True, type="UniformSample", clip_len=16), flip=None),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/ssv2/ssv2_val_videos.txt",
        data_prefix=dict(video="data/ssv2/videos"),
        pipeline=dict(
            frames=dict(_delete_=True, type="UniformSample", clip_len=16, test_mode=True)
        ),
    )
)
test_dataloader = dict(
    dataset=dict(
        ann_file="data/ssv2/ssv2_val_videos.txt",
        data_prefix=dict(video="data/ssv2/videos"),
        pipeline=dict(
            frames=dict(
                _delete_=True, type="UniformSample", clip_len=16, num_clips=2, test_mode=True
            )
        ),
    )
)
