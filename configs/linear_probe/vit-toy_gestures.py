"""Linear probing of the toy encoder on ten in-air gestures. Not from the paper.

tools/train.py configs/linear_probe/vit-toy_gestures.py --cfg-options load_from=ENCODER.pth
"""

_base_ = [
    "../_base_/models/linear_probe_vit-toy.py",
    "../_base_/datasets/gestures_64.py",
    "../_base_/schedules/linear_probe_toy.py",
    "../_base_/default_runtime.py",
]
