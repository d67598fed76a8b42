r"""DEMVM for two CPU cores, on the real clips of ten in-air gestures, without their labels.

Not from the paper: 80 epochs of 16 clips a step, from scratch; KLT finds what moves. The camera sits
on the head and little of a clip stands still, so a pixel a frame counts as moving; by the paper's
counts half of the slots would be masked at random, therefore densities. Folds are chosen on the
command line; the other arm is swin-toy_gestures_random.py. The tokenizer is that of
swin-toy_photographs.py.

    tools/train.py configs/demvm/swin-toy_gestures.py --cfg-options \
        train_dataloader.dataset.ann_file=data/gestures/fold1_train.txt
"""

_base_ = [
    "../_base_/models/demvm_swin-toy.py",
    "../_base_/datasets/videos_gestures_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/demvm_runtime.py",
]
model = dict(masker=dict(ratios="densities", threshold=1.0))
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(
            motion=dict(_delete_=True, type="MotionMap", shrink=1),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    )
)
default_hooks = dict(masking_ratio=dict(period=800))
train_cfg = dict(max_epochs=80)
