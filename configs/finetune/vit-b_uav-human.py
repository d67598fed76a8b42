"""Fine-tune ViT-B on UAV-Human: PMG, supplement, Table 2.

The paper's numbers: frames of UAV-Human 36.8, Shaders1k 40.0 (Table 11).
Otherwise as vit-b_ucf101.py.

    tools/dist_train.sh configs/finetune/vit-b_uav-human.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-b.py",
    "../_base_/datasets/uav_human.py",
    "../_base_/schedules/finetune_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    cls_head=dict(num_classes=155),
    data_preprocessor=dict(blending=dict(num_classes=155)),
)
