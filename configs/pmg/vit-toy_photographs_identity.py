"""The toy encoder on motionless clips of the same photographs: PMG's Identity baseline (Table 2).

tools/train.py configs/pmg/vit-toy_photographs_identity.py
"""

_base_ = "./vit-toy_generated.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(_delete_=True, type="FolderImages", root="data/images_bsds500/images"),
        pipeline=dict(motion=dict(ops=dict(_delete_=True, still=dict(type="Identity")))),
    )
)
train_cfg = dict(max_epochs=125)
