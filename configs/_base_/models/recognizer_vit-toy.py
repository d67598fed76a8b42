"""Recognizer on the toy encoder: 16 x 64 x 64, tokens of 4 x 8 x 8, encoder 6 x 192."""

_base_ = "./recognizer_vit-b.py"
model = dict(
    data_preprocessor=dict(blending=None),
    backbone=dict(
        arch="tiny", depth=6, img_size=64, patch_size=8, tubelet_size=4, drop_path_rate=0.0
    ),
    cls_head=dict(in_channels=192, num_classes=10, dropout_ratio=0.0, label_smooth_eps=0.0),
)
