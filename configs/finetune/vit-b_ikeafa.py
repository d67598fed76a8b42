"""Fine-tune ViT-B on IkeaFA: PMG, supplement, Table 2.

The paper's numbers: frames of IkeaFA 61.4, Shaders1k 60.7 (Table 11).
Otherwise as vit-b_ucf101.py.

    tools/dist_train.sh configs/finetune/vit-b_ikeafa.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-b.py",
    "../_base_/datasets/ikeafa.py",
    "../_base_/schedules/finetune_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    cls_head=dict(num_classes=12),
    data_preprocessor=dict(blending=dict(num_classes=12)),
)
