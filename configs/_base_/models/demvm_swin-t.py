"""DEMVM with Video Swin-T on 16 x 224 x 224: DEMVM, Sec. 3 and 4.1.

Flow-guided masking on the 8 x 28 x 28 grid of tokens of 2 x 8 x 8; lightweight decoder; codes of a
3D tokenizer, which a recipe names in branches.token.head.target.checkpoint. The encoder starts from
the image model that timm downloads; backbone.init_cfg.checkpoint takes a file as well.
"""

model = dict(
    type="MaskTokenPretrainer",
    data_preprocessor=dict(
        type="PMGDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape="NCTHW",
    ),
    masker=dict(type="FlowGuidedDenseMasker", dense=0.7, sparse=0.3),
    backbone=dict(
        type="MaskedSwinTransformer3D",
        arch="tiny",
        img_size=224,
        num_frames=16,
        out_indices=(1, 3),
        init_cfg=dict(type="InflatedSwin", checkpoint="timm:swin_tiny_patch4_window7_224.ms_in1k"),
    ),
    branches=dict(
        token=dict(
            neck=dict(type="SwinDecoder"),
            head=dict(
                type="MaskedClassificationHead",
                target=dict(type="CodebookTarget", tokenizer=dict(type="VQVAE3D"), checkpoint=None),
            ),
        )
    ),
)
# Left behind at the end: the encoder alone, for fine-tuning.
custom_hooks = [dict(type="EncoderExportHook")]
