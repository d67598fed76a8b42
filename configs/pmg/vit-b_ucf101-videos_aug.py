"""VideoMAE on real UCF101 clips, a third of them replaced by pseudo-motion (PMG Aug): 92.2 (Table 8).

The paper does not say how often a clip is replaced.

    tools/dist_train.sh configs/pmg/vit-b_ucf101-videos_aug.py 8
"""

_base_ = "../videomae/vit-b_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(motion=dict(_delete_=True, type="PMGAug", prob=1 / 3, deferred="auto"))
    )
)
