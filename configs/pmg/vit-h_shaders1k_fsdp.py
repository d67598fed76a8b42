"""ViT-H with weights, gradients and optimizer sharded over the GPUs (FSDP); not run on GPUs yet.

Ten of a GPU's gigabytes become ten over the number of GPUs. Checkpoints are whole, as without it.

    tools/dist_train.sh configs/pmg/vit-h_shaders1k_fsdp.py 8
"""

_base_ = "./vit-h_shaders1k.py"
runner_type = "FlexibleRunner"
strategy = dict(type="ShardedStrategy")
