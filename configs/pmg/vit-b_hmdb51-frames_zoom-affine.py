"""PMG on frames of HMDB51 with ZoomInOut and Affine, the entry's ops, unmixed: HMDB51 51.8 (Tables 3 and 4).

tools/dist_train.sh configs/pmg/vit-b_hmdb51-frames_zoom-affine.py 8
"""

_base_ = "./vit-b_hmdb51-frames.py"
model = dict(data_preprocessor=dict(blending=None))
