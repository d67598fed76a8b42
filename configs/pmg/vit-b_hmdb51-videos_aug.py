"""VideoMAE on real HMDB51 clips, a third of them replaced by pseudo-motion (PMG Aug): 64.6 (Table 8).

The paper does not say how often a clip is replaced.

    tools/dist_train.sh configs/pmg/vit-b_hmdb51-videos_aug.py 8
"""

_base_ = "../videomae/vit-b_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/hmdb51/hmdb51_train_split_1_videos.txt",
        data_prefix=dict(video="data/hmdb51/videos"),
        pipeline=dict(motion=dict(_delete_=True, type="PMGAug", prob=1 / 3, deferred="auto")),
    )
)
train_cfg = dict(max_epochs=4800)
