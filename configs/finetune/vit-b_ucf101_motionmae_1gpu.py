"""Fine-tune on UCF101 at MotionMAE's settings on one GPU: eight batches of 32 videos a step, 256.

On two GPUs: accumulative_counts=4, on four: 2. Otherwise as vit-b_ucf101_motionmae.py.

    tools/train.py configs/finetune/vit-b_ucf101_motionmae_1gpu.py --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ucf101_motionmae.py"
optim_wrapper = dict(accumulative_counts=8)
