"""The toy encoder, pre-trained on pseudo-motion clips of photographs in data/photographs.

tools/train.py configs/pmg/vit-toy_photographs.py
"""

_base_ = "./vit-toy_generated.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="FolderImages", root="data/images_bsds500/images"),
    )
)
