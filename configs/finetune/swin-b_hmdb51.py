"""Fine-tune Video Swin-B on HMDB51 split 1: DEMVM, Sec. 4.1.

62.3 with swin-b_ucf101, 63.9 with swin-b_hmdb51 (Tables 2 and 5). Not run. 4 x 6 videos a step, 30 epochs; without load_from it trains from scratch.

    tools/dist_train.sh configs/finetune/swin-b_hmdb51.py 4 --cfg-options load_from=encoder.pth
"""

_base_ = [
    "../_base_/models/recognizer_swin-b.py",
    "../_base_/datasets/demvm_recognition_hmdb51.py",
    "../_base_/schedules/demvm_finetune_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=51))
