"""A tokenizer of lone frames from the videos of UCF101: the baseline of DEMVM's Table 7.

As vqvae3d_ucf101.py, but no layer sees two frames. Not run.

    tools/train.py configs/tokenizer/vqvae2d_ucf101.py
"""

_base_ = "./vqvae3d_ucf101.py"
model = dict(type="VQVAE2D")
