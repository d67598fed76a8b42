"""Fine-tune Video Swin-B on Mimetics, two clips a class: DEMVM, Sec. 4.1.

Not printed. Not run. 4 x 6 videos a step, 30 epochs; without load_from it trains from scratch.

    tools/dist_train.sh configs/finetune/swin-b_mimetics.py 4 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_swin-b.py",
    "../_base_/datasets/demvm_recognition_mimetics.py",
    "../_base_/schedules/demvm_finetune_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=50))
