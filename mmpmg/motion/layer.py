"""A part of a layered clip: a shape cut from an image, with a motion of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .matte import Matte

if TYPE_CHECKING:
    from .motion import Motion

#: Colour steps a part may have. Contrast turns about a frame's mean, and a part has no frame.
PART_COLORS = ("brightness", "saturation", "hue")


@dataclass(frozen=True)
class Layer:
    """One foreground part: its matte, how it moves, and which image it is cut from.

    Output pixel x of frame k shows the part's image at the point p that the layer's motion names,
    changed in colour by it, with the weight ``matte.alpha(p)``. The renderers draw the matte once
    (:meth:`Matte.raster`) and warp it along with the image as a fourth channel.

    Attributes:
        matte: The part's shape in pixels of its image.
        motion: Composed, without paste and layers of its own; it may have a deformation, and
            brightness, saturation and hue.
        image: Which of the images for parts it is cut from, from 0; see
            :attr:`mmpmg.motion.Motion.num_images`.

    Raises:
        ValueError: If the motion is no motion of a part, or the matte reaches out of the image.
    """

    matte: Matte
    motion: Motion
    image: int = 0

    def __post_init__(self) -> None:
        """Refuse what no renderer could render."""
        if self.motion.resampling != "composed":
            raise ValueError("Layer: a part's motion needs resampling='composed'")
        if self.motion.paste is not None or self.motion.layers:
            raise ValueError("Layer: a part's motion can have no paste and no layers")
        wrong = sorted(set(self.motion.color_ops) - set(PART_COLORS))
        if wrong:
            raise ValueError(
                f"Layer: a part cannot change its {', '.join(wrong)}; choose from "
                f"{', '.join(PART_COLORS)}"
            )
        height, width = self.motion.size
        x0, y0, x1, y1 = self.matte.box()
        if x0 < 0 or y0 < 0 or x1 > width - 1 or y1 > height - 1:
            raise ValueError(
                f"Layer: the matte's box ({x0:.1f}, {y0:.1f}, {x1:.1f}, {y1:.1f}) reaches out of "
                f"the image of {height} x {width} pixels, where there is nothing to show"
            )
        if isinstance(self.image, bool) or not isinstance(self.image, int) or self.image < 0:
            raise ValueError(f"Layer: image={self.image!r} must be an integer of at least 0")

    def to_dict(self) -> dict[str, Any]:
        """Return plain python data, see :meth:`mmpmg.motion.Motion.to_dict`."""
        return {
            "matte": self.matte.to_dict(),
            "motion": self.motion.to_dict(),
            "image": self.image,
        }


def check_layers(layers: Sequence[Layer], num_frames: int, size: tuple[int, int]) -> None:
    """Check that layers fit the clip they lie on.

    Args:
        layers: Back to front.
        num_frames: T of the clip.
        size: (H, W) of the clip.

    Raises:
        ValueError: If one is of another length or size, or an image's number is left out.
    """
    for layer in layers:
        if (layer.motion.num_frames, layer.motion.size) != (num_frames, size):
            raise ValueError(
                f"Motion: a layer moves for {layer.motion.num_frames} frames of "
                f"{layer.motion.size}, the clip has {num_frames} frames of {size}"
            )
    used = {layer.image for layer in layers}
    if used != set(range(len(used))):
        raise ValueError(
            f"Motion: layers are cut from the images {sorted(used)}; number them from 0 without gap"
        )
