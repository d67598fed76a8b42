"""Fine-tune ViT-B on MiniSSv2 on one GPU: eight batches of 16 videos a step, 128 as on eight GPUs.

On two GPUs: accumulative_counts=4, on four: 2. Otherwise as vit-b_ssv2-mini.py.

    tools/train.py configs/finetune/vit-b_ssv2-mini_1gpu.py --cfg-options load_from=encoder.pth
"""

_base_ = "./vit-b_ssv2-mini.py"
optim_wrapper = dict(accumulative_counts=8)
