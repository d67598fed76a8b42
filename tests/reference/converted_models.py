"""Small models of ours with random weights, for conversions, and what they compute."""

import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from mmpmg.models.tokens import split_tokens

TINY = dict(img_size=32, num_frames=4, patch_size=8, embed_dims=24, depth=2, num_heads=3)
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def build(config, std=0.05):
    """Build a model, move every weight off its start, and switch it to evaluation."""
    init_default_scope("mmaction")
    torch.manual_seed(0)
    model = MODELS.build(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(std * torch.randn_like(parameter))
    return model.eval()


def pretrainer(neck=None, branches=None, **backbone):
    """Build a MaskedVideoPretrainer; tiny unless sizes are given."""
    neck = neck or dict(embed_dims=12, depth=2, num_heads=2)
    pixel = dict(
        neck=dict(type="MAEDecoder", **neck),
        head=dict(type="MaskedRegressionHead", target=dict(type="PixelTarget")),
    )
    return build(
        dict(
            type="MaskedVideoPretrainer",
            data_preprocessor=dict(
                type="ActionDataPreprocessor", mean=MEAN, std=STD, format_shape="NCTHW"
            ),
            masker=dict(type="TubeMasker", mask_ratio=0.5),
            backbone=dict(
                type="MaskedVisionTransformer", use_mean_pooling=False, **(backbone or TINY)
            ),
            branches=dict(pixel=pixel, **(branches or {})),
        )
    )


def recognizer(kind="MaskedVisionTransformer", classes=5, **backbone):
    """Build a Recognizer3D with MMAction2's linear head; tiny unless sizes are given."""
    backbone = {**TINY, **backbone}
    return build(
        dict(
            type="Recognizer3D",
            backbone=dict(type=kind, **backbone),
            cls_head=dict(
                type="TimeSformerHead", in_channels=backbone["embed_dims"], num_classes=classes
            ),
        )
    )


def clips_and_mask(frames, size, tokens, seed=1):
    """Two normalised clips (2, 3, T, H, W) and masks (2, N) with the same number of tokens."""
    generator = torch.Generator().manual_seed(seed)
    clips = torch.rand((2, 3, frames, size, size), generator=generator)
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) / 255 for values in (MEAN, STD))
    order = torch.rand((2, tokens), generator=generator).argsort(1)
    return (clips - mean) / std, order < tokens * 3 // 4


@torch.no_grad()
def predict(model, clips, mask, branch="pixel"):
    """Return the predictions for the masked tokens and the loss of a pretrainer."""
    visible, masked = split_tokens(mask, int(mask[0].sum()))
    features = model.decode(model.backbone(clips, visible), visible, masked)
    losses = model.head_losses(features, model.whole_clip(clips), masked)
    return model.heads[branch](features[branch]), losses[f"loss_{branch}"]
