"""ViT-S on ten in-air gestures at 112 x 112, for one GPU; minutes. Not from the paper; not run yet.

The larger size of the studies (docs/studies/index.md). Folds are chosen on the command line, as in
vit-toy_gestures.py.

    tools/train.py configs/finetune/vit-s_gestures.py --cfg-options load_from=ENCODER.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-s_112.py",
    "../_base_/datasets/gestures_112.py",
    "../_base_/schedules/finetune_toy.py",
    "../_base_/default_runtime.py",
]
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_epochs=50, val_interval=10)
