"""PMG on 100,000 images of Shaders1k without mixup: plain VideoMAE beside MotionMAE's unmixed arms.

motionmae/vit-b_shaders1k_unmixed.py and motionmae/vit-b_shaders1k_exact-flow.py add a second
decoder on the same clips. Not in the paper, not run.

    tools/dist_train.sh configs/pmg/vit-b_shaders1k_unmixed.py 8
"""

_base_ = "./vit-b_shaders1k.py"
model = dict(data_preprocessor=dict(blending=None))
