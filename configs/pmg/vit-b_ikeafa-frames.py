"""PMG on one random frame of each IkeaFA video: IkeaFA 61.4 (Table 11) in the paper.

Otherwise as vit-b_ucf101-frames.py.

    tools/dist_train.sh configs/pmg/vit-b_ikeafa-frames.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            ann_file="data/ikeafa/ikeafa_train_videos.txt",
            root="data/ikeafa/videos",
        ),
    )
)
