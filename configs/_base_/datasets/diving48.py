"""Diving48 (V2) for recognition: as UCF101.

The supplement's Table 2 has it among the "other datasets": dense sampling. Every fourth frame and
5 x 3 views, as for UCF101, are ours where the paper is silent.
"""

_base_ = "./ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/diving48/diving48_train_videos.txt",
        data_prefix=dict(video="data/diving48/videos"),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/diving48/diving48_val_videos.txt",
        data_prefix=dict(video="data/diving48/videos"),
    )
)
test_dataloader = val_dataloader
