"""PMG on frames of UCF101 with ZoomInOut and Affine, the entry's ops, unmixed: UCF101 83.8 (Table 4).

tools/dist_train.sh configs/pmg/vit-b_ucf101-frames_zoom-affine.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
model = dict(data_preprocessor=dict(blending=None))
