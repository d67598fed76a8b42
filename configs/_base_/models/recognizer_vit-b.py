"""ViT-B recognizer, fine-tuned as VideoMAE is: mean pooling, fc_norm, a small classifier.

PMG, supplement, Table 2: mixup .8, CutMix 1.0, label smoothing .1, drop path .2, dropout .5. A
recipe states its number of classes twice, in cls_head and blending; ClassCountHook compares them
with each other and with the labels before the first epoch.
"""

model = dict(
    type="Recognizer3D",
    data_preprocessor=dict(
        type="ActionDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape="NCTHW",
        blending=dict(type="MixupOrCutmix", num_classes=101, mixup_alpha=0.8, cutmix_alpha=1.0),
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
custom_hooks = [dict(type="ClassCountHook")]
