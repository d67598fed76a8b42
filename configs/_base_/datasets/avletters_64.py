"""Mouths saying letters, 26 classes, 16 frames spread over the whole clip, 64 x 64; as gestures."""

_base_ = "./gestures_64.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/avletters/train.txt",
        data_prefix=dict(video="data/avletters/videos"),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/avletters/test.txt",
        data_prefix=dict(video="data/avletters/videos"),
    )
)
test_dataloader = val_dataloader
