"""Recognizer on the toy encoder: 16 x 64 x 64, tokens of 4 x 8 x 8, encoder 6 x 192."""

model = dict(
    type="Recognizer3D",
    data_preprocessor=dict(
        type="ActionDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape="NCTHW",
    ),
    backbone=dict(
        type="MaskedVisionTransformer",
        arch="tiny",
        depth=6,
        img_size=64,
        patch_size=8,
        tubelet_size=4,
        num_frames=16,
        use_mean_pooling=True,
        init_cfg=[
            dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0),
            dict(type="Constant", layer="LayerNorm", val=1.0, bias=0.0),
        ],
    ),
    cls_head=dict(
        type="TimeSformerHead",
        in_channels=192,
        num_classes=10,
        init_std=2e-5,
        average_clips="prob",
    ),
)
