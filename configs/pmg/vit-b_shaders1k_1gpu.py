"""PMG on Shaders1k on one GPU: eight batches of 32 clips a step, 256 as on eight GPUs.

On two GPUs: accumulative_counts=4, on four: 2. Otherwise as vit-b_shaders1k.py.

    tools/train.py configs/pmg/vit-b_shaders1k_1gpu.py
"""

_base_ = "./vit-b_shaders1k.py"
optim_wrapper = dict(accumulative_counts=8)
