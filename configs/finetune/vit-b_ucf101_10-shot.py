"""Fine-tune ViT-B on 10 videos of each class of UCF101: a point of Fig. 4, drawn but not printed.

tools/prepare_data.py draws the videos (docs/datasets.md), tested on the whole of the test list.
The paper names no length: Table 2's 100 epochs. Another draw: dataset.ann_file=..._seed1.txt.

    tools/dist_train.sh configs/finetune/vit-b_ucf101_10-shot.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ucf101.py"
train_dataloader = dict(
    drop_last=False,  # one video of each class does not fill a batch
    dataset=dict(ann_file="data/ucf101/few_shot/10-shot_seed0.txt"),
)
