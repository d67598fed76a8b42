"""In-air gestures at 112 x 112: their short side as it stands in the files."""

_base_ = "./gestures_64.py"
train_dataloader = dict(num_workers=8, dataset=dict(pipeline=dict(resize=dict(scale=(112, 112)))))
val_dataloader = dict(num_workers=8, dataset=dict(pipeline=dict(resize=dict(scale=(112, 112)))))
test_dataloader = val_dataloader
