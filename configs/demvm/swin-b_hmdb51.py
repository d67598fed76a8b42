"""DEMVM, Video Swin-B, on HMDB51 split 1: HMDB51 63.9, UCF101 90.9 (Tables 2 and 5).

The tokenizer is that of swin-b_ucf101.py; so the two differ in their videos alone. (The paper's
has seen neither: it is VideoGPT's.) Not run.

    tools/dist_train.sh configs/demvm/swin-b_hmdb51.py 4
"""

_base_ = "./swin-b_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/hmdb51/hmdb51_train_split_1_videos.txt",
        data_prefix=dict(video="data/hmdb51/videos"),
    )
)
