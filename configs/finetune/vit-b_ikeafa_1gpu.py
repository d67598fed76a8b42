"""Fine-tune ViT-B on IkeaFA on one GPU: eight batches of 16 videos a step, 128 as on eight GPUs.

On two GPUs: accumulative_counts=4, on four: 2. Otherwise as vit-b_ikeafa.py.

    tools/train.py configs/finetune/vit-b_ikeafa_1gpu.py --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ikeafa.py"
optim_wrapper = dict(accumulative_counts=8)
