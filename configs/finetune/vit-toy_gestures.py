"""The toy encoder on ten in-air gestures: a labelled set in which the class lies in the motion.

Not from the paper; the table in the README comes from it. Folds are chosen on the command line:

    tools/train.py configs/finetune/vit-toy_gestures.py --cfg-options load_from=ENCODER.pth \
        train_dataloader.dataset.ann_file=data/gestures/fold1_train.txt \
        val_dataloader.dataset.ann_file=data/gestures/fold1_test.txt \
        test_dataloader.dataset.ann_file=data/gestures/fold1_test.txt
"""

_base_ = [
    "../_base_/models/recognizer_vit-toy.py",
    "../_base_/datasets/gestures_64.py",
    "../_base_/schedules/finetune_toy.py",
    "../_base_/default_runtime.py",
]
