"""DEMVM for two CPU cores: 16 x 64 x 64, 8 x 8 x 8 tokens, a Swin of 5 M weights from scratch.

The windows are 4 x 4, so that the third stage's 4 x 4 map still fills one.
"""

_base_ = "./demvm_swin-t.py"
model = dict(
    backbone=dict(
        arch=dict(_delete_=True, embed_dims=48, depths=(2, 2, 2, 2), num_heads=(2, 4, 8, 16)),
        img_size=64,
        window_size=(8, 4, 4),
        init_cfg=None,
    ),
    branches=dict(
        token=dict(
            head=dict(
                # That of configs/tokenizer/vqvae3d_toy_photographs.py.
                target=dict(
                    tokenizer=dict(num_codes=512, code_dim=64, channels=48, layers=2),
                    checkpoint="work_dirs/tokenizer/vqvae3d_toy_photographs/epoch_100.pth",
                )
            )
        )
    ),
)
