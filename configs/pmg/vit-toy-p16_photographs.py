"""The toy encoder with tokens of 2 x 16 x 16 on mixed clips of 120 photographs: 45,000 clips.

tools/train.py configs/pmg/vit-toy-p16_photographs.py
"""

_base_ = "./vit-toy-p16_photographs_unmixed.py"
model = dict(data_preprocessor=dict(blending=dict(type="ClipMixup", alpha=0.8)))
