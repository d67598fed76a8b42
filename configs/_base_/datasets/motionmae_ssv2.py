"""Something-Something V2 for MotionMAE's pre-training: every second frame, 32 clips a GPU.

Never mirrored: its classes tell left from right. MultiScaleCrop, see motionmae_ucf101.py.
"""

_base_ = "./videos_ucf101.py"
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file="data/ssv2/ssv2_train_videos.txt",
        data_prefix=dict(video="data/ssv2/videos"),
        hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        pipeline=dict(frames=dict(frame_interval=2)),
    ),
)
