"""Video Swin-T recognizer with the I3D head: DEMVM, Sec. 3.1 ("Downstream fine-tuning").

Nothing is mixed and no label smoothed: Sec. 4.1 keeps the configuration of pre-training. Stochastic
depth .1 is Video Swin's for Swin-T, dropout .5 the head's own.
"""

model = dict(
    type="Recognizer3D",
    data_preprocessor=dict(
        type="ActionDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape="NCTHW",
        blending=None,
    ),
    backbone=dict(
        type="MaskedSwinTransformer3D",
        arch="tiny",
        img_size=224,
        num_frames=16,
        drop_path_rate=0.1,
        with_mask_token=False,
    ),
    cls_head=dict(
        type="I3DHead",
        in_channels=768,
        num_classes=101,
        spatial_type="avg",
        dropout_ratio=0.5,
        average_clips="prob",
    ),
)
custom_hooks = [dict(type="ClassCountHook")]
