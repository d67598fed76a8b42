"""Tokenizers: a clip becomes a map of codes, and codes a clip."""

from .checkpoint import load_tokenizer
from .codebook import Codebook
from .shrinking import shrink
from .vqvae import VQVAE2D, VQVAE3D

__all__ = ["VQVAE2D", "VQVAE3D", "Codebook", "load_tokenizer", "shrink"]
