"""Linear probing of the toy Swin on two clips of each of ten in-air gestures. Not from the paper.

tools/prepare_data.py subset data/gestures/fold0_train.txt --shots 2 draws them (docs/datasets.md);
a step sees them all, and 100 steps fit 20 clips in 384 standardised features.

    tools/train.py configs/linear_probe/swin-toy_gestures_2-shot.py --cfg-options load_from=ENCODER.pth
"""

_base_ = [
    "../_base_/models/linear_probe_swin-toy.py",
    "../_base_/datasets/gestures_64.py",
    "../_base_/schedules/linear_probe_toy.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(
    batch_size=20, dataset=dict(ann_file="data/gestures/few_shot/2-shot_seed0.txt")
)
train_cfg = dict(max_epochs=100, val_interval=50)
