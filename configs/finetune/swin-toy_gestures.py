"""The toy Swin on ten in-air gestures: a labelled set in which the class lies in the motion.

Not from the paper. Folds are chosen on the command line, as in vit-toy_gestures.py.

    tools/train.py configs/finetune/swin-toy_gestures.py --cfg-options load_from=ENCODER.pth
"""

_base_ = [
    "../_base_/models/recognizer_swin-toy.py",
    "../_base_/datasets/gestures_64.py",
    "../_base_/schedules/finetune_toy.py",
    "../_base_/default_runtime.py",
]
