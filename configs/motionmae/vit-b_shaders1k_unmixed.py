"""MotionMAE on pseudo-motion clips without mixup: the arm to set exact flow against. Not run.

Plain VideoMAE on the same clips: pmg/vit-b_shaders1k_unmixed.py, or
--cfg-options model.branches.motion=None.

    tools/dist_train.sh configs/motionmae/vit-b_shaders1k_unmixed.py 8
"""

_base_ = "./vit-b_shaders1k.py"
model = dict(data_preprocessor=dict(blending=None))
