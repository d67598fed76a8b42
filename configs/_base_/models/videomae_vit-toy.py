"""VideoMAE for two CPU cores: 16 x 64 x 64, tokens of 4 x 8 x 8 (256 of them), encoder 6 x 192."""

model = dict(
    type="MaskedVideoPretrainer",
    data_preprocessor=dict(
        type="ActionDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape="NCTHW",
    ),
    masker=dict(type="TubeMasker", mask_ratio=0.75),
    backbone=dict(
        type="MaskedVisionTransformer",
        arch="tiny",
        depth=6,
        img_size=64,
        patch_size=8,
        tubelet_size=4,
        num_frames=16,
        use_mean_pooling=False,
    ),
    branches=dict(
        pixel=dict(
            neck=dict(type="MAEDecoder", embed_dims=96, depth=2, num_heads=3),
            head=dict(type="MaskedRegressionHead", loss="mse", target=dict(type="PixelTarget")),
        )
    ),
)
# Left behind at the end: the encoder alone, for fine-tuning.
custom_hooks = [dict(type="EncoderExportHook")]
