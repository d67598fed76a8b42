"""PMG on one random frame of each UAV-Human video: UAV-Human 36.8 (Table 11) in the paper.

Otherwise as vit-b_ucf101-frames.py.

    tools/dist_train.sh configs/pmg/vit-b_uav-human-frames.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            ann_file="data/uav_human/uav_human_train_videos.txt",
            root="data/uav_human/videos",
        ),
    )
)
