"""VideoMAE, ViT-B, on the videos of Diving48: 79.3 after fine-tuning (Table 10, PMG's own run).

Its settings are not printed; these are UCF101's.

    tools/dist_train.sh configs/videomae/vit-b_diving48.py 8
"""

_base_ = "./vit-b_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/diving48/diving48_train_videos.txt",
        data_prefix=dict(video="data/diving48/videos"),
    )
)
