"""VideoMAE with a ViT-B encoder on 16 x 224 x 224, with a decoder of 4 x 384."""

model = dict(
    type="MaskedVideoPretrainer",
    data_preprocessor=dict(
        type="PMGDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape="NCTHW",
    ),
    masker=dict(type="TubeMasker", mask_ratio=0.75),
    backbone=dict(
        type="MaskedVisionTransformer",
        arch="base",
        img_size=224,
        num_frames=16,
        use_mean_pooling=False,
    ),
    branches=dict(
        pixel=dict(
            neck=dict(type="MAEDecoder", embed_dims=384, depth=4, num_heads=6),
            head=dict(type="MaskedRegressionHead", loss="mse", target=dict(type="PixelTarget")),
        )
    ),
)
# Left behind at the end: the encoder alone, for fine-tuning.
custom_hooks = [dict(type="EncoderExportHook")]
