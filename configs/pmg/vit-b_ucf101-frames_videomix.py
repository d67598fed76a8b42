"""PMG on frames of UCF101, clips mixed by VideoMix instead of mixup: UCF101 85.2 (Table 4).

The paper does not say which VideoMix: a rectangle through all frames, its authors' best.

    tools/dist_train.sh configs/pmg/vit-b_ucf101-frames_videomix.py 8
"""

_base_ = "./vit-b_ucf101-frames.py"
model = dict(data_preprocessor=dict(blending=dict(_delete_=True, type="ClipVideoMix", alpha=0.8)))
