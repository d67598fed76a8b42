"""VideoGPT's VQ-VAE for clips: one of 2048 codes for 2 x 4 x 4 pixels.

Clips are halved first, as CodebookTarget halves them in DEMVM's pre-training: of 224 pixels, the
tokenizer sees 112 (VideoGPT: 128).
"""

model = dict(
    type="VQVAE3D",
    data_preprocessor=dict(type="PMGDataPreprocessor", format_shape="NCTHW"),
    scale=2,
)
