"""PMG on one random frame of each MiniSSv2 video: MiniSSv2 69.0 (Table 11) in the paper.

Without flips (supplement, Table 1); otherwise as vit-b_ucf101-frames.py.

    tools/dist_train.sh configs/pmg/vit-b_ssv2-mini-frames.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            ann_file="data/ssv2_mini/ssv2_mini_train_videos.txt",
            root="data/ssv2_mini/videos",
        ),
        pipeline=dict(flip=None),
    )
)
