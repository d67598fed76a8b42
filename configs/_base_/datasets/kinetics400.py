"""Kinetics-400 for recognition: as UCF101; VideoMAE too takes every fourth frame, 5 x 3 views."""

_base_ = "./ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/kinetics400/kinetics400_train_videos.txt",
        data_prefix=dict(video="data/kinetics400/videos"),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/kinetics400/kinetics400_val_videos.txt",
        data_prefix=dict(video="data/kinetics400/videos"),
    )
)
test_dataloader = val_dataloader
