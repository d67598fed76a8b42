"""A small tokenizer of lone frames on two CPU cores: as vqvae3d_toy_photographs.py.

tools/train.py configs/tokenizer/vqvae2d_toy_photographs.py
"""

_base_ = "./vqvae3d_toy_photographs.py"
model = dict(type="VQVAE2D")
