"""DEMVM with Video Swin-B on 16 x 224 x 224."""

_base_ = "./demvm_swin-t.py"
model = dict(
    backbone=dict(
        arch="base", init_cfg=dict(checkpoint="timm:swin_base_patch4_window7_224.ms_in1k")
    )
)
