"""ViT-B recognizer, fine-tuned as VideoMAE is: mean pooling, fc_norm, a small classifier."""

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
        arch="base",
        img_size=224,
        num_frames=16,
        drop_path_rate=0.2,
        use_mean_pooling=True,
        # VideoMAE's fine-tuning draws weights that no checkpoint brings from a narrow normal.
        init_cfg=[
            dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0),
            dict(type="Constant", layer="LayerNorm", val=1.0, bias=0.0),
        ],
    ),
    cls_head=dict(
        type="TimeSformerHead",
        in_channels=768,
        num_classes=101,
        dropout_ratio=0.5,
        init_std=2e-5,
        label_smooth_eps=0.1,
        average_clips="prob",
    ),
)
