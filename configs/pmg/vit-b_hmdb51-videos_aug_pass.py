"""HMDB51 videos with PMG Aug, and 10,000 images of PASS: HMDB51 68.0 (Table 9).

tools/dist_train.sh configs/pmg/vit-b_hmdb51-videos_aug_pass.py 8
"""

_base_ = "./vit-b_hmdb51-videos_aug_pass-shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        parts=dict(images=dict(images=dict(sources=dict(shaders=None), num_images=10_000)))
    )
)
