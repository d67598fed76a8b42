"""The toy encoder of configs/*/vit-toy_*.py on two sequences of DAVIS. Not from the paper.

Runs on a CPU, see docs/vos.md for how long. With an encoder, or with random weights:

    tools/test.py configs/vos/vit-toy_davis-mini.py work_dirs/pmg/vit-toy_generated/encoder.pth
    tools/test.py configs/vos/vit-toy_davis-mini.py none
"""

_base_ = [
    "../_base_/models/segmenter_vit-toy.py",
    "../_base_/datasets/davis_mini.py",
    "../_base_/schedules/evaluation.py",
    "../_base_/segmentation_runtime.py",
]
