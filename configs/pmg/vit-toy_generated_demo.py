"""The recipe of `make demo`: 6144 clips, unmixed, two minutes on two free CPU cores.

tools/train.py configs/pmg/vit-toy_generated_demo.py
"""

_base_ = "./vit-toy_generated.py"
model = dict(data_preprocessor=dict(blending=None))
train_dataloader = dict(dataset=dict(num_images=768))
train_cfg = dict(max_epochs=8)
