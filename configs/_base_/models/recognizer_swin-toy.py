"""Recognizer on the toy Swin: 16 x 64 x 64."""

_base_ = "./recognizer_swin-t.py"
model = dict(
    backbone=dict(
        arch=dict(_delete_=True, embed_dims=48, depths=(2, 2, 2, 2), num_heads=(2, 4, 8, 16)),
        img_size=64,
        window_size=(8, 4, 4),
        drop_path_rate=0.0,
    ),
    cls_head=dict(in_channels=384, num_classes=10, dropout_ratio=0.0),
)
