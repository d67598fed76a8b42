"""The toy encoder with tokens of 2 x 16 x 16 on ten in-air gestures, tested on two views.

What the studies at size `cpu` fine-tune with, see docs/studies. Folds as in vit-toy_gestures.py.

    tools/train.py configs/finetune/vit-toy-p16_gestures.py --cfg-options load_from=ENCODER.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-toy-p16.py",
    "../_base_/datasets/gestures_64.py",
    "../_base_/schedules/finetune_toy_batch-8.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=8)
val_dataloader = dict(dataset=dict(pipeline=dict(frames=dict(num_clips=2))))
test_dataloader = val_dataloader
