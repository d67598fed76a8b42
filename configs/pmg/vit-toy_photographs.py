"""The toy encoder on pseudo-motion clips of 120 photographs: 15,000 clips, as vit-toy_generated.

tools/train.py configs/pmg/vit-toy_photographs.py
"""

_base_ = "./vit-toy_generated.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="FolderImages", root="data/images_bsds500/images"),
    )
)
train_cfg = dict(max_epochs=125)
