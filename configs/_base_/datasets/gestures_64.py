"""In-air gestures, 10 classes, 16 frames spread over the whole clip, 64 x 64, no flips.

The class lies in the motion; left/right and up/down forbid flips. Frames are squeezed to a square,
because the hand uses the whole width.
"""

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="SampleSeedSampler", shuffle=True),
    dataset=dict(
        type="CheckedVideoDataset",
        ann_file="data/gestures/fold0_train.txt",
        data_prefix=dict(video="data/gestures/videos"),
        pipeline=dict(
            seed=dict(type="SeedSample"),
            open=dict(type="DecordInit"),
            frames=dict(type="UniformSample", clip_len=16),
            decode=dict(type="DecordDecode"),
            crop=dict(type="RandomResizedCrop", area_range=(0.6, 1.0)),
            resize=dict(type="Resize", scale=(64, 64), keep_ratio=False),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs", meta_keys=("sample_seed", "filename")),
        ),
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CheckedVideoDataset",
        ann_file="data/gestures/fold0_test.txt",
        data_prefix=dict(video="data/gestures/videos"),
        test_mode=True,
        pipeline=dict(
            open=dict(type="DecordInit"),
            frames=dict(type="UniformSample", clip_len=16, test_mode=True),
            decode=dict(type="DecordDecode"),
            resize=dict(type="Resize", scale=(64, 64), keep_ratio=False),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs"),
        ),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="AccMetric")
test_evaluator = val_evaluator
