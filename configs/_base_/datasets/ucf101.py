"""UCF101 split 1 for recognition: 16 frames, every fourth; two draws of each video; 5 x 3 views.

PMG, supplement, Table 2: repeated augmentation 2, flip, RandAugment (9, .5), dense sampling. It is
silent on the step between frames (every fourth), the number of operations of RandAugment (4),
random erasing (.25) and the views of testing (5 x 3): these are VideoMAE's, which it follows.
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
        hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        pipeline=dict(
            # RepeatAugDataset fixes these three.
            open=dict(type="DecordInit"),
            frames=dict(
                type="SampleFrames", clip_len=16, frame_interval=4, out_of_bound_opt="repeat_last"
            ),
            decode=dict(type="DecordDecode"),
            short_side=dict(type="Resize", scale=(-1, 256)),
            rand_augment=dict(type="ClipRandAugment", magnitude=9, magnitude_std=0.5, num_ops=4),
            crop=dict(type="RandomResizedCrop", area_range=(0.08, 1.0)),
            resize=dict(type="Resize", scale=(224, 224), keep_ratio=False),
            flip=dict(type="Flip", flip_ratio=0.5),
            erase=dict(type="RandomErasing", erase_prob=0.25, mode="rand"),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs", meta_keys=("filename",)),
        ),
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
        hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        test_mode=True,
        pipeline=dict(
            open=dict(type="DecordInit"),
            frames=dict(
                type="SampleFrames",
                clip_len=16,
                frame_interval=4,
                test_mode=True,
                out_of_bound_opt="repeat_last",
            ),
            decode=dict(type="DecordDecode"),
            short_side=dict(type="Resize", scale=(-1, 224)),
            crop=dict(type="CenterCrop", crop_size=224),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs"),
        ),
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
        hint="docs/datasets.md says where the videos come from; tools/prepare_data.py writes the lists.",
        test_mode=True,
        pipeline=dict(
            open=dict(type="DecordInit"),
            frames=dict(
                type="SampleFrames",
                clip_len=16,
                frame_interval=4,
                num_clips=5,
                test_mode=True,
                out_of_bound_opt="repeat_last",
            ),
            decode=dict(type="DecordDecode"),
            short_side=dict(type="Resize", scale=(-1, 224)),
            crop=dict(type="ThreeCrop", crop_size=224),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs"),
        ),
    ),
)
val_evaluator = dict(type="AccMetric")
test_evaluator = val_evaluator
