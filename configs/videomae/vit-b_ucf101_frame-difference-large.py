"""VideoMAE on the UCF101 videos with the largest frame difference: 68.7 after fine-tuning on all (Table 13).

The half above the median. The paper does not say how long it trained; the epochs are those of
vit-b_ucf101.py.
tools/prepare_data.py measures the differences and writes the list (docs/datasets.md).

    tools/dist_train.sh configs/videomae/vit-b_ucf101_frame-difference-large.py 8
"""

_base_ = "./vit-b_ucf101.py"
train_dataloader = dict(dataset=dict(ann_file="data/ucf101/frame_difference/large.txt"))
