"""Recipes' ``model`` for converted weights, and what a recipe's ``model`` says of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmpmg.models.backbones.masked_vit import ARCHITECTURES
from mmpmg.models.conversion.sizes import Hints, ModelSizes

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""ImageNet's statistics, with which VideoMAE normalises (0 to 255, RGB)."""
MASK_RATIO = 0.75


def backbone_sizes(model: Mapping[str, Any]) -> dict[str, int]:
    """Read the sizes of the encoder from a recipe's ``model``, under the recipe's names.

    Raises:
        ValueError: Its backbone is no ViT of VideoMAE's.
    """
    backbone = model.get("backbone") or {}
    kind = str(backbone.get("type", "")).rpartition(".")[2]
    if kind not in ("MaskedVisionTransformer", "VisionTransformer"):
        raise ValueError(
            f"model.backbone.type={kind!r} in the recipe; conversions are of "
            "MaskedVisionTransformer and VisionTransformer"
        )
    # MMAction2's defaults are those of our "base".
    width, depth, heads = ARCHITECTURES[backbone.get("arch") or "base"]
    return dict(
        embed_dims=backbone.get("embed_dims") or width,
        depth=backbone.get("depth") or depth,
        num_heads=backbone.get("num_heads") or heads,
        patch_size=backbone.get("patch_size", 16),
        tubelet_size=backbone.get("tubelet_size", 2),
    )


def backbone_sizes_of(sizes: ModelSizes) -> dict[str, int | None]:
    """Name the sizes of the encoder as `backbone_sizes` does."""
    return dict(
        embed_dims=sizes.width,
        depth=sizes.depth,
        num_heads=sizes.heads,
        patch_size=sizes.token_shape[1],
        tubelet_size=sizes.token_shape[0],
    )


def hints_of_model(model: Mapping[str, Any], branch: str | None = None) -> Hints:
    """Read from a recipe's ``model`` what weights do not tell.

    Args:
        model: ``model`` of a recipe with a ViT.
        branch: Whose decoder and target are meant; the first when None.

    Raises:
        ValueError: Its backbone is no ViT of VideoMAE's.
    """
    branches = {name: part for name, part in (model.get("branches") or {}).items() if part}
    chosen = branches.get(branch) if branch else next(iter(branches.values()), None)
    neck = (chosen or {}).get("neck")
    if isinstance(neck, str):  # the decoder of another branch
        neck = branches[neck]["neck"]
    target = ((chosen or {}).get("head") or {}).get("target") or {}
    return Hints(
        heads=backbone_sizes(model)["num_heads"],
        decoder_heads=None if neck is None else neck.get("num_heads", 6),
        num_frames=model["backbone"].get("num_frames", 16),
        img_size=model["backbone"].get("img_size", 224),
        normalize=target.get("normalize"),
    )


def said_by_model(model: Mapping[str, Any], branch: str | None = None) -> dict[str, int]:
    """Read from a recipe's ``model`` the sizes that weights tell too, for `check_said`.

    Args:
        model: ``model`` of a recipe with a ViT.
        branch: Whose decoder is meant; the only one when None.

    Raises:
        ValueError: Its backbone is no ViT of VideoMAE's.
    """
    sizes = backbone_sizes(model)
    said = dict(
        width=sizes["embed_dims"],
        depth=sizes["depth"],
        patch_size=sizes["patch_size"],
        tubelet_size=sizes["tubelet_size"],
        qv_bias=model["backbone"].get("qkv_bias", True),
    )
    branches = {name: part for name, part in (model.get("branches") or {}).items() if part}
    chosen = branches.get(branch or next(iter(branches), "")) if branch or len(branches) < 2 else {}
    neck, head = (chosen or {}).get("neck"), model.get("cls_head") or {}
    parts = (
        ("decoder_width", neck, "embed_dims"),
        ("decoder_depth", neck, "depth"),
        ("num_classes", head, "num_classes"),
    )
    for name, part, key in parts:
        if isinstance(part, Mapping) and isinstance(part.get(key), int):
            said[name] = part[key]
    return {name: value for name, value in said.items() if isinstance(value, int)}


def backbone_config(sizes: ModelSizes, kind: str = "MaskedVisionTransformer") -> dict[str, Any]:
    """Describe the encoder of these sizes, ours or MMAction2's (``VisionTransformer``)."""
    sizes.check_heads()
    return dict(
        type=kind,
        img_size=sizes.img_size,
        num_frames=sizes.num_frames,
        patch_size=sizes.token_shape[1],
        tubelet_size=sizes.token_shape[0],
        in_channels=sizes.in_channels,
        embed_dims=sizes.width,
        depth=sizes.depth,
        num_heads=sizes.heads,
        mlp_ratio=sizes.hidden / sizes.width,
        qkv_bias=sizes.qv_bias,
        use_mean_pooling=sizes.mean_pooling,
    )


def pretrainer_config(sizes: ModelSizes, branch: str = "pixel") -> dict[str, Any]:
    """Describe a pretrainer of these sizes; without a decoder in ``sizes`` it gets VideoMAE's."""
    neck: dict[str, Any] = dict(type="MAEDecoder")
    if sizes.decoder_width is not None:
        neck.update(
            embed_dims=sizes.decoder_width,
            depth=sizes.decoder_depth,
            num_heads=sizes.decoder_heads,
            mlp_ratio=sizes.decoder_hidden / sizes.decoder_width,
        )
    target = dict(type="PixelTarget", normalize=sizes.normalize)
    return dict(
        type="MaskedVideoPretrainer",
        data_preprocessor=dict(
            type="ActionDataPreprocessor", mean=list(MEAN), std=list(STD), format_shape="NCTHW"
        ),
        masker=dict(type="TubeMasker", mask_ratio=MASK_RATIO),
        backbone=backbone_config(sizes),
        branches={branch: dict(neck=neck, head=dict(type="MaskedRegressionHead", target=target))},
    )


def recognizer_config(sizes: ModelSizes, kind: str = "MaskedVisionTransformer") -> dict[str, Any]:
    """Describe a recognizer of these sizes, with our encoder or MMAction2's."""
    return dict(
        type="Recognizer3D",
        backbone=backbone_config(sizes, kind),
        cls_head=dict(
            type="TimeSformerHead",
            in_channels=sizes.width,
            num_classes=sizes.num_classes or 2,
            average_clips="prob",
        ),
    )
