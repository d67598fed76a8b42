"""Fine-tune ViT-B on MiniSSv2: PMG, supplement, Table 2.

Drop path .1, no dropout, no flip, uniform sampling; otherwise as vit-b_ucf101.py. The paper's
numbers: frames of MiniSSv2 69.0, Shaders1k 68.3 (Table 11).

    tools/dist_train.sh configs/finetune/vit-b_ssv2-mini.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-b.py",
    "../_base_/datasets/ssv2_mini.py",
    "../_base_/schedules/finetune_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    backbone=dict(drop_path_rate=0.1),
    cls_head=dict(num_classes=87, dropout_ratio=0.0),
    data_preprocessor=dict(blending=dict(num_classes=87)),
)
