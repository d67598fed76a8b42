"""PMG on one random frame of each UCF101 video ("FT data"): UCF101 87.3 in the paper (Table 4).

The frame of a video is drawn once, as the paper says (Sec. 4). dataset.endless=True takes another
one in every epoch.

    tools/dist_train.sh configs/pmg/vit-b_ucf101-frames.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="VideoFrames",
            ann_file="data/ucf101/ucf101_train_split_1_videos.txt",
            root="data/ucf101/videos",
            hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        ),
        num_images=None,
        subset="first",
    )
)
