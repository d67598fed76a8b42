"""Fine-tune ViT-B on 25 videos of each class of HMDB51: a point of Fig. 4, drawn but not printed.

tools/prepare_data.py draws the videos (docs/datasets.md), tested on the whole of the test list.
The paper names no length: Table 2's 100 epochs. Another draw: dataset.ann_file=..._seed1.txt.

    tools/dist_train.sh configs/finetune/vit-b_hmdb51_25-shot.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_hmdb51.py"
train_dataloader = dict(
    drop_last=False,  # one video of each class does not fill a batch
    dataset=dict(ann_file="data/hmdb51/few_shot/25-shot_seed0.txt"),
)
