"""Linear probing of the toy encoder on 26 letters, read from lips. Not from the paper.

tools/train.py configs/linear_probe/vit-toy_avletters.py --cfg-options load_from=ENCODER.pth
"""

_base_ = [
    "../_base_/models/linear_probe_vit-toy.py",
    "../_base_/datasets/avletters_64.py",
    "../_base_/schedules/linear_probe_toy.py",
    "../_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=26))
