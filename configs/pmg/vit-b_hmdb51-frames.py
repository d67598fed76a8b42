"""PMG on one frame of each HMDB51 video ("FT data"): HMDB51 55.9 in the paper (Table 4).

tools/dist_train.sh configs/pmg/vit-b_hmdb51-frames.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/hmdb51/hmdb51_train_split_1_videos.txt",
        data_prefix=dict(video="data/hmdb51/videos"),
    )
)
