"""Mimetics: two clips a class to train on, all others to test; otherwise as UCF101.

The paper draws the two at random and names them nowhere; ours follow from a seed, see
tools/prepare_data.py. Another draw: ..._seed1_videos.txt in all three places.
"""

_base_ = "./demvm_recognition_ucf101.py"
train_dataloader = dict(
    dataset=dict(
        ann_file="data/mimetics/mimetics_train_2-shot_seed0_videos.txt",
        data_prefix=dict(video="data/mimetics/videos"),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file="data/mimetics/mimetics_val_2-shot_seed0_videos.txt",
        data_prefix=dict(video="data/mimetics/videos"),
    )
)
test_dataloader = val_dataloader
