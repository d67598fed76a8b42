"""UAV-Human, its RGB videos, for recognition: as UCF101, on SynAPT's split.

Step between frames and views: the paper is silent, these are UCF101's.
"""

_base_ = "./ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/uav_human/uav_human_train_videos.txt",
        data_prefix=dict(video="data/uav_human/videos"),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/uav_human/uav_human_val_videos.txt",
        data_prefix=dict(video="data/uav_human/videos"),
    )
)
test_dataloader = val_dataloader
