"""A ViT for clips that starts from one for images: PMG's supervised baseline (Table 10, SP)."""

from __future__ import annotations

import logging

from mmaction.models.backbones.vit_mae import VisionTransformer
from mmengine.logging import print_log
from mmengine.registry import WEIGHT_INITIALIZERS

from mmpmg.models.backbones.image_weights import KEY, TIMM, read_image_weights
from mmpmg.models.conversion.inflation import inflate_vit
from mmpmg.models.conversion.report import UNEXPECTED

EXAMPLE = "vit_base_patch16_224.augreg_in21k"


@WEIGHT_INITIALIZERS.register_module()
class InflatedViT:
    """Initialises a ``VisionTransformer``, MMAction2's or ours, with those of an image model.

    The paper fine-tunes ViT-B from supervised training on images and does not say how it got to
    clips; `inflate_vit` names the choices.

    Args:
        checkpoint: A file with weights of timm's ViT or DeiT, or "timm:NAME", which timm downloads,
            such as ``timm:vit_base_patch16_224.augreg_in21k``.
        patches: "mean" or "center", see `inflate_vit`.
        positions: "image+time", "image" or "sinusoid", see `inflate_vit`.
    """

    def __init__(
        self, checkpoint: str, patches: str = "mean", positions: str = "image+time"
    ) -> None:
        if not checkpoint:
            raise ValueError(
                f"{KEY}={checkpoint!r} names no weights: give a file or {TIMM}{EXAMPLE}"
            )
        self.checkpoint = checkpoint
        self.patches = patches
        self.positions = positions

    def __call__(self, module: VisionTransformer) -> None:
        """Initialise.

        Raises:
            ValueError: The weights are of another architecture or size.
        """
        name = f"{KEY}={self.checkpoint}"
        image = read_image_weights(self.checkpoint, "ViT", EXAMPLE, "vit.pth")
        embedding = module.patch_embed.projection.weight
        height, width = module.grid_size
        tokens = module.pos_embed.shape[1]
        try:
            inflated = inflate_vit(
                image, (tokens // (height * width), height, width), embedding.shape[2],
                self.patches, self.positions, mean_pooling=module.fc_norm is not None,
            )  # fmt: skip
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        own = module.state_dict()
        misfits = [f"{key} is missing" for key in own if key not in inflated.state]
        misfits += [f"{key} is left over" for key in inflated.state if key not in own]
        misfits += [
            f"{key} becomes {tuple(value.shape)} instead of {tuple(own[key].shape)}"
            for key, value in inflated.state.items()
            if key in own and value.shape != own[key].shape
        ]
        misfits = [misfit for misfit in misfits if not misfit.startswith("fc_norm.")]
        if misfits:
            raise ValueError(
                f"{name} does not fill the recipe's encoder in {len(misfits)} weights, for example "
                f"{misfits[0]}; make model.backbone (arch, patch_size, depth) that of the weights"
            )
        fresh = module.load_state_dict(inflated.state, strict=False).missing_keys
        left = [row.source for row in inflated.rows if row.status == UNEXPECTED]
        print_log(
            f"{len(inflated.state)} weights of {self.checkpoint} inflated (patches="
            f"{self.patches}, positions={self.positions}); new in this encoder: "
            f"{', '.join(fresh) or 'none'}; left out: {len(left)}, such as {', '.join(left[:3])}",
            logger="current",
            level=logging.INFO,
        )
