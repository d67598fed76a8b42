"""VideoMAE on the HMDB51 videos with the smallest frame difference: 32.2 after fine-tuning on all (Table 13).

The half below the median. The paper does not say how long it trained; the epochs are those of
vit-b_hmdb51.py.
tools/prepare_data.py measures the differences and writes the list (docs/datasets.md).

    tools/dist_train.sh configs/videomae/vit-b_hmdb51_frame-difference-small.py 8
"""

_base_ = "./vit-b_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/hmdb51/frame_difference/small.txt",
        data_prefix=dict(video="data/hmdb51/videos"),
    )
)
train_cfg = dict(max_epochs=4800)
