r"""DEMVM on pseudo-motion clips of 100,000 images of Shaders1k: nobody's yet. Not run.

Neither encoder nor tokenizer ever sees a video: the tokenizer is that of
configs/tokenizer/vqvae3d_shaders1k.py, and where a clip moves is known from its motion. The clips are
those of pmg/vit-b_shaders1k_unmixed.py: a mixture of two has no motion map. These motions move whole
frames: at half a pixel nearly all of a clip moves, and the paper's counts would then mask what is
still more densely. So what moves is what moves fast, 5 pixels a frame, and densities guide
(docs/demvm.md has the shares). Without ImageNet as well: --cfg-options model.backbone.init_cfg=None,
and the next line's rate for the whole encoder.

    tools/dist_train.sh configs/demvm/swin-t_shaders1k.py 4
    tools/dist_train.sh configs/demvm/swin-t_shaders1k.py 4 --cfg-options model.backbone.init_cfg=None \
        optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult=1.0
"""

_base_ = [
    "../_base_/models/demvm_swin-t.py",
    "../_base_/datasets/demvm_shaders1k.py",
    "../_base_/schedules/demvm_10e.py",
    "../_base_/demvm_runtime.py",
]
model = dict(
    masker=dict(ratios="densities", threshold=5.0),
    branches=dict(
        token=dict(
            head=dict(target=dict(checkpoint="work_dirs/tokenizer/vqvae3d_shaders1k/epoch_64.pth"))
        )
    ),
)
