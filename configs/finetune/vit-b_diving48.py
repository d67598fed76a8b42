"""Fine-tune ViT-B on Diving48: PMG, supplement, Table 2.

The paper's numbers: scratch 17.9, frames of Diving48 68.3, PASS 69.2, Shaders1k 72.3 (Table 10).
Otherwise as vit-b_ucf101.py.

    tools/dist_train.sh configs/finetune/vit-b_diving48.py 8 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_vit-b.py",
    "../_base_/datasets/diving48.py",
    "../_base_/schedules/finetune_100e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    cls_head=dict(num_classes=48),
    data_preprocessor=dict(blending=dict(num_classes=48)),
)
custom_hooks = [dict(type="ClassCountHook", empty_classes=[30])]  # version 2 has no video of it
