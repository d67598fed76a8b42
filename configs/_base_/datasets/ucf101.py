"""UCF101 split 1 for recognition: 16 frames, every fourth; two draws of each video; 5 x 3 views.

Random erasing is not in the paper's Table 2; it is a default of VideoMAE's script, which the paper
follows.
"""

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="SampleSeedSampler", shuffle=True),
    collate_fn=dict(type="repeat_pseudo_collate"),
    dataset=dict(
        type="SeededRepeatAugDataset",
        num_repeats=2,
        ann_file="data/ucf101/ucf101_train_split_1_videos.txt",
        data_prefix=dict(video="data/ucf101/videos"),
        hint="MMAction2's tools/data/ucf101 and tools/data/hmdb51 get the videos and write the lists.",
        pipeline=[
            # RepeatAugDataset fixes these three.
            dict(type="DecordInit"),
            dict(
                type="SampleFrames", clip_len=16, frame_interval=4, out_of_bound_opt="repeat_last"
            ),
            dict(type="DecordDecode"),
            dict(type="Resize", scale=(-1, 256)),
            dict(type="ClipRandAugment", magnitude=9, magnitude_std=0.5),
            dict(type="RandomResizedCrop", area_range=(0.08, 1.0)),
            dict(type="Resize", scale=(224, 224), keep_ratio=False),
            dict(type="Flip", flip_ratio=0.5),
            dict(type="RandomErasing", erase_prob=0.25, mode="rand"),
            dict(type="FormatShape", input_format="NCTHW"),
            dict(type="PackActionInputs", meta_keys=("filename",)),
        ],
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CheckedVideoDataset",
        ann_file="data/ucf101/ucf101_val_split_1_videos.txt",
        data_prefix=dict(video="data/ucf101/videos"),
        hint="MMAction2's tools/data/ucf101 and tools/data/hmdb51 get the videos and write the lists.",
        test_mode=True,
        pipeline=[
            dict(type="DecordInit"),
            dict(
                type="SampleFrames",
                clip_len=16,
                frame_interval=4,
                test_mode=True,
                out_of_bound_opt="repeat_last",
            ),
            dict(type="DecordDecode"),
            dict(type="Resize", scale=(-1, 224)),
            dict(type="CenterCrop", crop_size=224),
            dict(type="FormatShape", input_format="NCTHW"),
            dict(type="PackActionInputs"),
        ],
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CheckedVideoDataset",
        ann_file="data/ucf101/ucf101_val_split_1_videos.txt",
        data_prefix=dict(video="data/ucf101/videos"),
        hint="MMAction2's tools/data/ucf101 and tools/data/hmdb51 get the videos and write the lists.",
        test_mode=True,
        pipeline=[
            dict(type="DecordInit"),
            dict(
                type="SampleFrames",
                clip_len=16,
                frame_interval=4,
                num_clips=5,
                test_mode=True,
                out_of_bound_opt="repeat_last",
            ),
            dict(type="DecordDecode"),
            dict(type="Resize", scale=(-1, 224)),
            dict(type="ThreeCrop", crop_size=224),
            dict(type="FormatShape", input_format="NCTHW"),
            dict(type="PackActionInputs"),
        ],
    ),
)
val_evaluator = dict(type="AccMetric")
test_evaluator = val_evaluator
