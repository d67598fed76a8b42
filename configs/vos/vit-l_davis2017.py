"""Video object segmentation on DAVIS-2017 with a frozen ViT-L. Not in the paper; not run yet.

tools/dist_test.sh configs/vos/vit-l_davis2017.py encoder.pth 8
"""

_base_ = "./vit-b_davis2017.py"
model = dict(backbone=dict(arch="large"))
