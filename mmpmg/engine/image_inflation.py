"""A 2D ViT of timm as a conversion: the command's side of inflation."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmpmg.models.conversion import Conversion, Hints
from mmpmg.models.conversion.inflation import inflate_vit
from mmpmg.models.conversion.layouts import OURS
from mmpmg.models.conversion.shapes import check_whole
from mmpmg.models.conversion.sizes import NUM_FRAMES, sizes_of
from mmpmg.models.tokens import token_grid

SOURCE = "timm"
IMAGE_SIZE = 224  # pixels, unless somebody says otherwise
TUBELET = 2  # frames of a token, as VideoMAE's


def inflate_conversion(
    state: Mapping[str, Tensor],
    to: str,
    hints: Hints,
    tubelet_size: int | None = None,
    patches: str = "mean",
    positions: str = "image+time",
) -> Conversion:
    """Inflate an image model into an encoder of clips.

    Args:
        state: Of timm's 2D ``VisionTransformer``.
        to: "encoder" (closed by ``fc_norm``) or "pretrainer" (by ``norm``, the decoder fresh).
        hints: Size of the clips, 16 x 224 x 224 where it is not said, and heads.
        tubelet_size: Frames of a token, 2 unless said.
        patches: See `inflate_vit`.
        positions: See `inflate_vit`.

    Raises:
        ValueError: Another target, an architecture that cannot be inflated, or a file without a
            part of a block.
    """
    if to not in ("encoder", "pretrainer"):
        raise ValueError(
            f"--to {to}: a 2D ViT becomes an encoder or a pretrainer of ours ({', '.join(OURS[:2])}"
            "), from which the other formats are one more conversion away"
        )
    frames, size = hints.num_frames or NUM_FRAMES, hints.img_size or IMAGE_SIZE
    tubelet_size = tubelet_size or TUBELET
    patch = state["patch_embed.proj.weight"].shape[2]
    grid = token_grid((frames, size, size), (tubelet_size, patch, patch))
    pools = to == "encoder"
    inflated = inflate_vit(state, grid, tubelet_size, patches, positions, pools)
    weights = {f"backbone.{key}": value for key, value in inflated.state.items()}
    rows = [
        row._replace(target=f"backbone.{row.target}" if row.target else "") for row in inflated.rows
    ]
    sizes = sizes_of(weights, hints._replace(num_frames=frames, img_size=size))
    check_whole(weights, sizes, pixels=False)
    return Conversion(weights, SOURCE, to, sizes, sizes, None, rows)
