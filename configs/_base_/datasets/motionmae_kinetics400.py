"""Kinetics-400 for MotionMAE's pre-training: every fourth frame, mirrored or not, 32 clips a GPU.

MultiScaleCrop, see motionmae_ucf101.py.
"""

_base_ = "./videos_ucf101.py"
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file="data/kinetics400/kinetics400_train_videos.txt",
        data_prefix=dict(video="data/kinetics400/videos"),
        hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        pipeline=dict(flip=dict(_delete_=True, type="Flip", flip_ratio=0.5)),
    ),
)
