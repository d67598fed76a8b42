"""The tokenizer of clips for two CPU cores: 512 codes of 64 numbers, 48 wide, two blocks."""

_base_ = "./vqvae3d.py"
model = dict(num_codes=512, code_dim=64, channels=48, layers=2)
