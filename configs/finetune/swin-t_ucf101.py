"""Fine-tune Video Swin-T on UCF101 split 1: DEMVM, Sec. 4.1.

88.9 with swin-t_ucf101 (Table 1). Not run. 4 x 6 videos a step, 30 epochs; without load_from it trains from scratch.

    tools/dist_train.sh configs/finetune/swin-t_ucf101.py 4 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_swin-t.py",
    "../_base_/datasets/demvm_recognition_ucf101.py",
    "../_base_/schedules/demvm_finetune_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=101))
