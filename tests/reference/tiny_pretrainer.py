"""The smallest pretrainer with every part: tubes, dual masking, encoder, decoder, pixel head."""

from typing import Any


def tiny_pretrainer(
    width: int = 24, heads: int = 2, decoder_width: int = 12, decoder_depth: int = 2
) -> dict[str, Any]:
    """Return a new recipe's ``model`` for clips of 8 x 32 x 32 pixels, two encoder blocks."""
    return dict(
        type="MaskedVideoPretrainer",
        data_preprocessor=dict(
            type="ActionDataPreprocessor", mean=[120.0] * 3, std=[58.0] * 3, format_shape="NCTHW"
        ),
        masker=dict(type="TubeMasker", mask_ratio=0.75),
        decoder_masker=dict(type="RunningCellMasker", mask_ratio=0.5),
        backbone=dict(
            type="MaskedVisionTransformer", img_size=32, num_frames=8, patch_size=8,
            embed_dims=width, depth=2, num_heads=heads, use_mean_pooling=False,
        ),
        branches=dict(
            pixel=dict(
                neck=dict(type="MAEDecoder", embed_dims=decoder_width, depth=decoder_depth,
                          num_heads=heads),
                head=dict(type="MaskedRegressionHead", target=dict(type="PixelTarget")),
            )
        ),
    )  # fmt: skip
