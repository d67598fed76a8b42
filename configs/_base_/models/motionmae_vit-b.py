"""MotionMAE with a ViT-B encoder: VideoMAE and a second decoder, which predicts motion.

MotionMAE, Sec. 3 and 4: a decoder of 4 x 384 for the frames (`pixel`, the paper's space head) and
another for the temporal difference (`motion`, its time head), each with its own positions; the two
losses are added. The paper does not say whether the difference is normalised per token where the
frames are ("patch norm" in Table 6a): here both are, or neither.
"""

_base_ = "./videomae_vit-b.py"
model = dict(
    branches=dict(
        motion=dict(
            neck=dict(type="MAEDecoder", embed_dims=384, depth=4, num_heads=6),
            head=dict(
                type="MaskedRegressionHead",
                loss="mse",
                target=dict(type="TemporalDifferenceTarget"),
            ),
        )
    )
)
