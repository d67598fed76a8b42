"""A tokenizer of lone frames that never saw a video: as vqvae3d_shaders1k.py. Not run.

tools/train.py configs/tokenizer/vqvae2d_shaders1k.py
"""

_base_ = "./vqvae3d_shaders1k.py"
model = dict(type="VQVAE2D")
