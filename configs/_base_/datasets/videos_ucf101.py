"""Real clips of 16 x 224 x 224 from UCF101, every fourth frame, for pre-training.

No flip: the authors' script has none, though their table lists it.
"""

train_dataloader = dict(
    batch_size=24,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="SampleSeedSampler", shuffle=True),
    dataset=dict(
        type="CheckedVideoDataset",
        ann_file="data/ucf101/ucf101_train_split_1_videos.txt",
        data_prefix=dict(video="data/ucf101/videos"),
        hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        pipeline=dict(
            seed=dict(type="SeedSample"),
            open=dict(type="DecordInit"),
            frames=dict(
                type="SampleFrames", clip_len=16, frame_interval=4, out_of_bound_opt="repeat_last"
            ),
            decode=dict(type="DecordDecode"),
            crop=dict(type="MultiScaleCropInside", input_size=224),
            resize=dict(type="Resize", scale=(224, 224), keep_ratio=False),
            flip=None,  # a place for Flip
            motion=None,  # a place for PMGAug, or for what measures motion
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(
                type="PackActionInputs",
                meta_keys=("sample_seed", "filename", "deferred_motion", "motion"),
            ),
        ),
    ),
)
