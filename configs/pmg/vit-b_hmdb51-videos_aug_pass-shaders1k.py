"""HMDB51 videos with PMG Aug, and 10,000 images each of PASS and Shaders1k: HMDB51 67.9 (Table 9).

The paper states neither the shares of an epoch nor its settings: every video and every image comes
once, the rest is vit-b_hmdb51-videos_aug.py's.

    tools/dist_train.sh configs/pmg/vit-b_hmdb51-videos_aug_pass-shaders1k.py 8
"""

_base_ = [
    "../_base_/models/videomae_vit-b.py",
    "../_base_/datasets/videos-images_hmdb51.py",
    "../_base_/schedules/videomae_3200e.py",
    "../_base_/default_runtime.py",
]
train_cfg = dict(max_epochs=4800)
