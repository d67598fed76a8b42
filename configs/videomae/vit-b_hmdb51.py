"""VideoMAE, ViT-B, on the videos of HMDB51 split 1: 4800 epochs; 62.6 after fine-tuning.

No script of the authors is published for HMDB51; all but the length is UCF101's.

    tools/dist_train.sh configs/videomae/vit-b_hmdb51.py 8
"""

_base_ = "./vit-b_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/hmdb51/hmdb51_train_split_1_videos.txt",
        data_prefix=dict(video="data/hmdb51/videos"),
    )
)
train_cfg = dict(max_epochs=4800)
