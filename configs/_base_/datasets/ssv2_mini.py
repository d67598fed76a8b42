"""MiniSSv2 for recognition: frames spread evenly over the video, no flip, 2 x 3 views.

PMG, supplement, Table 2: uniform sampling, no flip (the classes tell left from right). The views
are VideoMAE's for Something-Something V2.
"""

_base_ = "./ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/ssv2_mini/ssv2_mini_train_videos.txt",
        data_prefix=dict(video="data/ssv2_mini/videos"),
        pipeline=dict(frames=dict(_delete_=True, type="UniformSample", clip_len=16), flip=None),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/ssv2_mini/ssv2_mini_val_videos.txt",
        data_prefix=dict(video="data/ssv2_mini/videos"),
        pipeline=dict(
            frames=dict(_delete_=True, type="UniformSample", clip_len=16, test_mode=True)
        ),
    )
)
test_dataloader = dict(
    dataset=dict(
        ann_file="data/ssv2_mini/ssv2_mini_val_videos.txt",
        data_prefix=dict(video="data/ssv2_mini/videos"),
        pipeline=dict(
            frames=dict(
                _delete_=True, type="UniformSample", clip_len=16, num_clips=2, test_mode=True
            )
        ),
    )
)
