"""Fine-tune ViT-B on HMDB51 split 1: PMG, supplement, Table 2.

The paper's numbers: scratch 18.0, Shaders1k 59.7, PASS 60.0.
Otherwise as vit-b_ucf101.py.

    tools/dist_train.sh configs/finetune/vit-b_hmdb51.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-b.py",
    "../_base_/datasets/hmdb51.py",
    "../_base_/schedules/finetune_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    cls_head=dict(num_classes=51),
    data_preprocessor=dict(blending=dict(num_classes=51)),
)
