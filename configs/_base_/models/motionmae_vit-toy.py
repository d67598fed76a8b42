"""MotionMAE for two CPU cores: the toy VideoMAE and a second decoder, which predicts motion."""

_base_ = "./videomae_vit-toy.py"
model = dict(
    branches=dict(
        motion=dict(
            neck=dict(type="MAEDecoder", embed_dims=96, depth=2, num_heads=3),
            head=dict(
                type="MaskedRegressionHead",
                loss="mse",
                target=dict(type="TemporalDifferenceTarget"),
            ),
        )
    )
)
