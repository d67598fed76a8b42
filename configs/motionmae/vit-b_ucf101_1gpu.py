"""MotionMAE on UCF101 on one GPU: eight batches of 16 clips a step, 128 as on eight GPUs.

On two GPUs: accumulative_counts=4, on four: 2. Otherwise as vit-b_ucf101.py.

    tools/train.py configs/motionmae/vit-b_ucf101_1gpu.py
"""

_base_ = "./vit-b_ucf101.py"
optim_wrapper = dict(accumulative_counts=8)
