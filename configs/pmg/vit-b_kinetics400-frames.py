"""PMG on one random frame of each Kinetics-400 video: Kinetics-400 74.8 (Table 12) in the paper.

800 epochs (supplement, Table 1); otherwise as vit-b_ucf101-frames.py.

    tools/dist_train.sh configs/pmg/vit-b_kinetics400-frames.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            ann_file="data/kinetics400/kinetics400_train_videos.txt",
            root="data/kinetics400/videos",
        ),
    )
)
train_cfg = dict(max_epochs=800)
