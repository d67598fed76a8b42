"""A 3D tokenizer for DEMVM from the videos of UCF101 split 1: every fourth frame, as it is used.

VideoGPT's settings: Adam, lr 3e-4, batch 32, 200,000 steps (671 epochs of 298). The authors of
DEMVM take a trained one and do not say which. Not run.

    tools/train.py configs/tokenizer/vqvae3d_ucf101.py
"""

_base_ = [
    "../_base_/models/vqvae3d.py",
    "../_base_/datasets/videos_ucf101.py",
    "../_base_/schedules/tokenizer.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_epochs=671)
