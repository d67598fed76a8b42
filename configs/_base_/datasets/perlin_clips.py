"""Clips of Video Perlin Noise, 16 x 224 x 224, made in the data workers."""

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="SampleSeedSampler", shuffle=True),
    dataset=dict(
        type="PerlinClips",
        num_categories=1000,
        clips_per_category=10,
        pipeline=dict(
            crop=dict(type="MultiScaleCropInside", input_size=224),
            resize=dict(type="Resize", scale=(224, 224), keep_ratio=False),
            flip=dict(type="Flip", flip_ratio=0.5),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs", meta_keys=("sample_seed", "filename")),
        ),
    ),
)
