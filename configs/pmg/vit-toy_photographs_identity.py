"""The toy encoder on motionless clips of the same photographs: PMG's Identity baseline (Table 2).

tools/train.py configs/pmg/vit-toy_photographs_identity.py
"""

_base_ = [
    "../_base_/models/videomae_vit-toy.py",
    "../_base_/datasets/pmg_photographs_64.py",
    "../_base_/schedules/toy.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
train_dataloader = dict(
    dataset=dict(pipeline=dict(motion=dict(ops=dict(_delete_=True, still=dict(type="Identity")))))
)
train_cfg = dict(max_epochs=125)
