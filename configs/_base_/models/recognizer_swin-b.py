"""Video Swin-B recognizer; stochastic depth .3 is Video Swin's for Swin-B."""

_base_ = "./recognizer_swin-t.py"
model = dict(backbone=dict(arch="base", drop_path_rate=0.3), cls_head=dict(in_channels=1024))
