"""ViT-S recognizer on 16 x 112 x 112 for a few hundred videos: nothing mixed, no label smoothed."""

_base_ = "./recognizer_vit-b.py"
model = dict(
    data_preprocessor=dict(blending=None),
    backbone=dict(arch="small", img_size=112, drop_path_rate=0.1),
    cls_head=dict(in_channels=384, num_classes=10, dropout_ratio=0.0, label_smooth_eps=0.0),
)
