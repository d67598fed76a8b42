"""Clips of 16 x 224 x 224 from HMDB51's videos, a third of them PMG Aug, and from still images.

Every video and every image comes once in an epoch: 3570 clips of videos, 20,000 of images.
"""

train_dataloader = dict(
    batch_size=24,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="SampleSeedSampler", shuffle=True),
    dataset=dict(
        type="MixedDatasets",
        parts=dict(
            videos=dict(
                type="CheckedVideoDataset",
                ann_file="data/hmdb51/hmdb51_train_split_1_videos.txt",
                data_prefix=dict(video="data/hmdb51/videos"),
                hint="docs/datasets.md says where the videos come from; "
                "tools/prepare_data.py writes the lists.",
                pipeline=dict(
                    seed=dict(type="SeedSample"),
                    open=dict(type="DecordInit"),
                    frames=dict(
                        type="SampleFrames",
                        clip_len=16,
                        frame_interval=4,
                        out_of_bound_opt="repeat_last",
                    ),
                    decode=dict(type="DecordDecode"),
                    crop=dict(type="MultiScaleCropInside", input_size=224),
                    resize=dict(type="Resize", scale=(224, 224), keep_ratio=False),
                    flip=None,
                    motion=dict(type="PMGAug", prob=1 / 3, deferred="auto"),
                    layout=dict(type="FormatShape", input_format="NCTHW"),
                    pack=dict(
                        type="PackActionInputs",
                        meta_keys=("sample_seed", "filename", "deferred_motion", "motion"),
                    ),
                ),
            ),
            images=dict(
                type="ImageToPseudoVideo",
                images=dict(
                    type="MixedImages",
                    sources=dict(
                        people_free=dict(
                            type="FolderImages",
                            root="data/PASS_dataset",
                            hint="Unpack the tars of https://www.robots.ox.ac.uk/~vgg/data/pass "
                            "into data/.",
                        ),
                        shaders=dict(
                            type="FolderImages",
                            root="data/shaders1k",
                            hint="Shaders1k comes with https://github.com/mbaradad/shaders21k; "
                            "unzip it to data/shaders1k/<10 digits>/<6 digits>.jpg.",
                        ),
                    ),
                    weights=dict(people_free=1, shaders=1),
                    num_images=20_000,
                ),
                pipeline=dict(
                    crop=dict(type="MultiScaleCropInside", input_size=224),
                    resize=dict(type="Resize", scale=(224, 224), keep_ratio=False),
                    flip=dict(type="Flip", flip_ratio=0.5),
                    motion=dict(
                        type="PMGPipeline",
                        num_frames=16,
                        deferred="auto",  # rendered on the GPU, where there is one
                        ops=dict(zoom=dict(type="ZoomInOut"), affine=dict(type="Affine")),
                    ),
                    motion_map=None,
                    layout=dict(type="FormatShape", input_format="NCTHW"),
                    pack=dict(
                        type="PackActionInputs",
                        meta_keys=("sample_seed", "filename", "deferred_motion", "motion"),
                    ),
                ),
            ),
        ),
    ),
)
