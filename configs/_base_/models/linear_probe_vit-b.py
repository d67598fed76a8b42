"""A frozen ViT-B under a linear layer: PMG, supplement, Sec. H.

The layer sees the mean of all tokens, standardised by statistics that are measured once before
training (MAE puts a batch norm there, whose statistics would move). No dropout, no label smoothing,
no mixing.
"""

_base_ = "./recognizer_vit-b.py"
model = dict(
    data_preprocessor=dict(blending=None),
    backbone=dict(frozen=True, drop_path_rate=0.0),
    cls_head=dict(_delete_=True, type="LinearProbeHead", in_channels=768, num_classes=101),
)
custom_hooks = [dict(type="ClassCountHook"), dict(type="FeatureStatisticsHook")]
