"""UCF101 for MotionMAE's pre-training: every fourth frame, mirrored or not, 16 clips a GPU.

Cropped by MultiScaleCrop, as MotionMAE's Table 6a and VideoMAE's script say. Sec. 4 has "random
resized cropping at a scale range of [0.5, 1]" instead; the crops' areas, .44 to 1 of the largest
square, are about that.
"""

_base_ = "./videos_ucf101.py"
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        pipeline=dict(flip=dict(_delete_=True, type="Flip", flip_ratio=0.5)),
    ),
)
