"""HMDB51 split 1 for recognition with DEMVM: as UCF101."""

_base_ = "./demvm_recognition_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/hmdb51/hmdb51_train_split_1_videos.txt",
        data_prefix=dict(video="data/hmdb51/videos"),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/hmdb51/hmdb51_val_split_1_videos.txt",
        data_prefix=dict(video="data/hmdb51/videos"),
    )
)
test_dataloader = val_dataloader
