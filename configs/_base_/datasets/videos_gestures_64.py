"""In-air gestures for pre-training: the clips of gestures_64.py, with seeds for their masks."""

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
            motion=None,  # a place for MotionMap
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(
                type="PackActionInputs",
                meta_keys=("sample_seed", "filename", "deferred_motion", "motion"),
            ),
        ),
    ),
)
