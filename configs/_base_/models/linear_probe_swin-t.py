"""A frozen Video Swin-T under a linear layer, on the mean of its last map (DEMVM, Sec. 4.2)."""

_base_ = "./recognizer_swin-t.py"
model = dict(
    backbone=dict(frozen=True),
    cls_head=dict(_delete_=True, type="LinearProbeHead", in_channels=768, num_classes=50),
)
custom_hooks = [dict(type="ClassCountHook"), dict(type="FeatureStatisticsHook")]
