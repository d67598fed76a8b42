"""The toy encoder on 26 letters, read from lips. Not from the paper.

A few videos of each class: train_dataloader.dataset.ann_file=..., a list that
tools/prepare_data.py subset drew.

    tools/train.py configs/finetune/vit-toy_avletters.py --cfg-options load_from=ENCODER.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-toy.py",
    "../_base_/datasets/avletters_64.py",
    "../_base_/schedules/finetune_toy.py",
    "../_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=26))
