"""MotionMAE on pseudo-motion clips of 100,000 images of Shaders1k: beyond both papers. Not run.

pmg/vit-b_shaders1k.py and a second decoder that predicts the temporal difference of the mixed
clips; so that recipe is plain VideoMAE on the same clips. Exact flow in place of the difference:
vit-b_shaders1k_exact-flow.py.

    tools/dist_train.sh configs/motionmae/vit-b_shaders1k.py 8
"""

_base_ = [
    "../_base_/models/motionmae_vit-b.py",
    "../_base_/datasets/pmg_shaders1k.py",
    "../_base_/schedules/pmg_2000e.py",
    "../_base_/default_runtime.py",
]
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
