"""IkeaFA for recognition: as UCF101, on the clips of SynAPT's split.

Step between frames and views: the paper is silent, these are UCF101's.
"""

_base_ = "./ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/ikeafa/ikeafa_train_videos.txt",
        data_prefix=dict(video="data/ikeafa/videos"),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/ikeafa/ikeafa_val_videos.txt",
        data_prefix=dict(video="data/ikeafa/videos"),
    )
)
test_dataloader = val_dataloader
