"""Fine-tune ViT-B on Kinetics-400: PMG, supplement, Table 2.

Drop path .1, no dropout, 50 epochs; otherwise as vit-b_ucf101.py. The paper's
numbers: scratch 68.8, frames of Kinetics-400 74.8, Shaders1k 74.7 (Table 12).

    tools/dist_train.sh configs/finetune/vit-b_kinetics400.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-b.py",
    "../_base_/datasets/kinetics400.py",
    "../_base_/schedules/finetune_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(drop_path_rate=0.1),
    cls_head=dict(num_classes=400, dropout_ratio=0.0),
    data_preprocessor=dict(blending=dict(num_classes=400)),
)
train_cfg = dict(max_epochs=50)
