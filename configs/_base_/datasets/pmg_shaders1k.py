"""Pseudo-motion clips of 16 x 224 x 224 from images of Shaders1k."""

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type="SampleSeedSampler", shuffle=True),
    dataset=dict(
        type="ImageToPseudoVideo",
        images=dict(
            type="FolderImages",
            root="data/shaders1k",
            hint="Shaders1k comes with https://github.com/mbaradad/shaders21k; unzip it "
            "to data/shaders1k/<10 digits>/<6 digits>.jpg. Without any download, "
            "configs/pmg/vit-b_generated.py makes shader images of our own while it trains.",
        ),
        num_images=100_000,
        subset="random",
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
            motion_map=None,  # a place for MotionMap
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(
                type="PackActionInputs",
                meta_keys=("sample_seed", "filename", "deferred_motion", "motion"),
            ),
        ),
    ),
)
