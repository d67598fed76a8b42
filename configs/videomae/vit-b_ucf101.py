"""VideoMAE, ViT-B, on the videos of UCF101 split 1: the real-video baseline.

VideoMAE (NeurIPS 2022), mask ratio .75; UCF101 91.3 after fine-tuning. 8 x 24 clips a step; the
authors report 30 hours on 8 GPUs.

    tools/dist_train.sh configs/videomae/vit-b_ucf101.py 8
"""

_base_ = [
    "../_base_/models/videomae_vit-b.py",
    "../_base_/datasets/videos_ucf101.py",
    "../_base_/schedules/videomae_3200e.py",
    "../_base_/default_runtime.py",
]
