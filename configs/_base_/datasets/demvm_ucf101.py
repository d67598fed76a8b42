"""UCF101 for DEMVM's pre-training: every fourth frame, 6 clips a GPU, and where they move.

Sec. 4.1 fixes 16 x 224 x 224 and 24 clips a step on four GPUs. It is silent on the step between
frames, crops and flips: VideoMAE's script for UCF101, which the paper compares itself with.
"""

_base_ = "./videos_ucf101.py"
train_dataloader = dict(
    batch_size=6,
    dataset=dict(
        pipeline=dict(
            motion=dict(_delete_=True, type="MotionMap"),
            pack=dict(algorithm_keys=("motion_map",)),
        )
    ),
)
