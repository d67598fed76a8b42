"""PMG on one random frame of each Diving48 video: Diving48 68.3 (Tables 10 and 11) in the paper.

Otherwise as vit-b_ucf101-frames.py.

    tools/dist_train.sh configs/pmg/vit-b_diving48-frames.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            ann_file="data/diving48/diving48_train_videos.txt",
            root="data/diving48/videos",
        ),
    )
)
