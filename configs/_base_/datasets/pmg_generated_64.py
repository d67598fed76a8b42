"""Pseudo-motion clips of 16 x 64 x 64 from shader images made in the data workers."""

train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="SampleSeedSampler", shuffle=True),
    dataset=dict(
        type="ImageToPseudoVideo",
        images=dict(type="ShaderImages", num_images=1500, size=96),
        pipeline=dict(
            crop=dict(
                type="MultiScaleCrop",
                input_size=64,
                scales=(1, 0.875, 0.75, 0.66),
                num_fixed_crops=13,
                max_wh_scale_gap=1,
            ),
            resize=dict(type="Resize", scale=(64, 64), keep_ratio=False),
            flip=dict(type="Flip", flip_ratio=0.5),
            motion=dict(
                type="PMGPipeline",
                num_frames=16,
                ops=dict(zoom=dict(type="ZoomInOut"), affine=dict(type="Affine")),
            ),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs", meta_keys=("sample_seed", "filename")),
        ),
    ),
)
