"""The toy Swin, frozen, under a linear layer."""

_base_ = "./recognizer_swin-toy.py"
model = dict(
    backbone=dict(frozen=True),
    cls_head=dict(_delete_=True, type="LinearProbeHead", in_channels=384, num_classes=10),
)
custom_hooks = [dict(type="ClassCountHook"), dict(type="FeatureStatisticsHook")]
