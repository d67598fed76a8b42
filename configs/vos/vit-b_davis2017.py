"""Video object segmentation on DAVIS-2017 with a frozen ViT-B: MotionMAE, Table 4.

J&F-Mean there: 56.8 MotionMAE, 53.8 VideoMAE, both pre-trained on Kinetics-400. Not run yet.

    tools/dist_test.sh configs/vos/vit-b_davis2017.py encoder.pth 8
"""

_base_ = [
    "../_base_/models/segmenter_vit-b.py",
    "../_base_/datasets/davis2017.py",
    "../_base_/schedules/evaluation.py",
    "../_base_/segmentation_runtime.py",
]
