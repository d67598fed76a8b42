"""The value that says what happens to one image over T frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import displacement
from .deformation import Deformation
from .layer import Layer, check_layers
from .matte import Matte
from .paste import Paste
from .ranges import Border, border_fill, choice, clip_shape
from .values import FrozenArrays, exact_keys, frozen_array

FloatArray: TypeAlias = npt.NDArray[np.float64]

RESAMPLINGS = ("recursive", "composed")
INTERPOLATIONS = ("bilinear", "nearest")
COLOR_OPS = ("brightness", "contrast", "saturation", "hue")


@dataclass(frozen=True, eq=False)
class Motion(FrozenArrays):
    """What happens to one image over T frames: sampled once, replayable, serialisable.

    A frame is made in four steps, in this order: warp, colour, layers, paste.

    * Warp: output pixel (x, y) of frame k shows the source image at ``homographies[k] @ (x, y, 1)``
      after division by the third coordinate w. Pixel centres stand at integers. Points outside the
      image, and points with ``w <= 0`` (behind the horizon), show the border. With a deformation d
      the pixel shows what ``(x, y) + d_k(x, y)`` would show without.
    * Colour: the steps named in ``color_ops`` are applied in that order with ``color[k]``. Their
      meaning is torchvision's: brightness, contrast and saturation are factors (1 changes nothing),
      hue is a shift in turns (0 changes nothing).
    * Layers: parts of other images are laid over the frame, from back to front. A part is warped
      and coloured as said above by a motion of its own, its matte is warped with it, and the frame
      becomes ``(alpha * part + (255 - alpha) * frame) / 255``, rounded, with alpha in 0..255.
    * Paste: the rectangle of the partner image covers the frame.

    All four are *absolute*, that is, counted from the source image. In ``composed`` resampling
    frame k is made from the source directly. In ``recursive`` resampling frame k + 1 is made from
    frame k (rounded to 8 bits) by the relative step, :meth:`warp_steps` and :meth:`color_steps`:
    what left the frame is gone and blur adds up, as in the pseudo-code of PMG (supplement, Sec. C).

    Attributes:
        family: The op that drew it, or several joined by ``+``.
        size: (H, W) of the image and of every frame.
        homographies: (T, 3, 3) float64, output pixel to source pixel.
        resampling: ``'recursive'`` or ``'composed'``.
        interpolation: ``'bilinear'`` or ``'nearest'``.
        border: Fill (r, g, b) outside the image, or ``'replicate'`` for the nearest edge pixel.
        color_ops: Names of the colour steps, in the order of application; a name may recur.
        color: (T, len(color_ops)) float64.
        paste: The pasted rectangle, or None; composed only.
        deformation: A smooth displacement, or None; composed only.
        layers: The parts, back to front; composed only.
    """

    family: str
    size: tuple[int, int]
    homographies: FloatArray
    resampling: str = "composed"
    interpolation: str = "bilinear"
    border: Border = (0, 0, 0)
    color_ops: tuple[str, ...] = ()
    color: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    paste: Paste | None = None
    deformation: Deformation | None = None
    layers: tuple[Layer, ...] = ()

    def __post_init__(self) -> None:
        """Freeze the arrays; refuse what no renderer could render."""
        homographies = frozen_array(self.homographies, np.float64)
        if homographies.ndim != 3 or homographies.shape[1:] != (3, 3):
            raise ValueError(f"Motion: homographies has shape {homographies.shape}, not (T, 3, 3)")
        num_frames, size = clip_shape("Motion", len(homographies), self.size)
        if not np.isfinite(homographies).all() or (np.linalg.det(homographies) == 0).any():
            raise ValueError("Motion: homographies must be finite and invertible")
        color_ops = tuple(choice("Motion", "color_ops", name, COLOR_OPS) for name in self.color_ops)
        color = frozen_array(self.color if color_ops else np.empty((num_frames, 0)), np.float64)
        if color.shape != (num_frames, len(color_ops)) or not np.isfinite(color).all():
            raise ValueError(
                f"Motion: color must be finite and of shape {(num_frames, len(color_ops))}, "
                f"got {color.shape}"
            )
        if self.paste is not None and len(self.paste.positions) != num_frames:
            raise ValueError(
                f"Motion: paste has {len(self.paste.positions)} positions for {num_frames} frames"
            )
        choice("Motion", "resampling", self.resampling, RESAMPLINGS)
        if self.paste is not None and self.resampling != "composed":
            raise ValueError("Motion: a paste needs resampling='composed', or it would be smeared")
        if self.deformation is not None and self.deformation.num_frames != num_frames:
            raise ValueError(
                f"Motion: the deformation is of {self.deformation.num_frames} frames, the "
                f"homographies of {num_frames}"
            )
        if (self.deformation is not None or self.layers) and self.resampling != "composed":
            raise ValueError("Motion: deformation and layers need resampling='composed'")
        check_layers(self.layers, num_frames, size)
        choice("Motion", "interpolation", self.interpolation, INTERPOLATIONS)
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "homographies", homographies)
        object.__setattr__(self, "border", border_fill("Motion", self.border))
        object.__setattr__(self, "color_ops", color_ops)
        object.__setattr__(self, "color", color)

    @property
    def num_frames(self) -> int:
        """T, the number of frames."""
        return len(self.homographies)

    @property
    def num_images(self) -> int:
        """How many images a renderer needs, all of ``size``.

        In this order: the source; the paste's partner, where there is a paste; then the images that
        layers are cut from, :attr:`Layer.image` counting from the first of these. Several layers
        may share one. ``partners`` of a renderer are all but the source.
        """
        distinct = len({layer.image for layer in self.layers})
        return 1 + (self.paste is not None) + distinct

    def layer_partner(self, layer: Layer) -> int:
        """Return the place, from 0, of a layer's image among the partners."""
        return layer.image + (self.paste is not None)

    def warp_steps(self) -> FloatArray:
        """Return (T, 3, 3): pixel of frame k → pixel of frame k - 1; for k = 0, of the image."""
        steps = self.homographies.copy()
        steps[1:] = np.linalg.solve(self.homographies[:-1], self.homographies[1:])
        # An unchanged frame must be copied, not resampled through the inverse's rounding error.
        still = (self.homographies[1:] == self.homographies[:-1]).all(axis=(1, 2))
        steps[1:][still] = np.eye(3)
        return steps

    def color_steps(self) -> FloatArray:
        """Return (T, n): the colour change from frame k - 1 to frame k; for k = 0, from the image.

        Factors divide and hues subtract. Where a factor was 0 it stays 0 (black stays black), and
        the step is 1.
        """
        steps = self.color.copy()
        before, after = self.color[:-1], self.color[1:]
        for column, name in enumerate(self.color_ops):
            b, a = before[:, column], after[:, column]
            ratio = np.divide(a, b, np.ones_like(a), where=b != 0)
            steps[1:, column] = a - b if name == "hue" else ratio
        return steps

    def flow(self) -> npt.NDArray[np.float32]:
        """Return the exact displacement (T-1, H, W, 2) as (dx, dy) in pixels, frame k → k + 1.

        What stands at pixel x of frame k stands at x + flow[k](x) in frame k + 1: sampling frame
        k + 1 there gives frame k back wherever :meth:`covisible` holds. Zero under colour changes;
        inside a pasted rectangle, the rectangle's own displacement; elsewhere that of the topmost
        layer with an alpha of at least one half there, or else of the background.
        """
        return displacement.flow(self)

    def covisible(self) -> npt.NDArray[np.bool_]:
        """Return (T-1, H, W): True where the point of frame k is also seen in frame k + 1.

        False where it leaves the frame, is behind the horizon, or is covered by the paste or by a
        layer that lies higher. False, too, wherever a layer's soft rim shows, in frame k or in any
        of the four pixels around the point in frame k + 1: a mixture is nobody's. Border fill
        counts as a point like any other: it moves along.
        """
        return displacement.covisible(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain python data from which :meth:`from_dict` restores every bit.

        Python writes a float64 with as many digits as it takes to read the same float64 back, so a
        JSON file is lossless too.
        """
        return {
            "family": self.family,
            "size": list(self.size),
            "homographies": self.homographies.tolist(),
            "resampling": self.resampling,
            "interpolation": self.interpolation,
            "border": self.border if isinstance(self.border, str) else list(self.border),
            "color_ops": list(self.color_ops),
            "color": self.color.tolist(),
            "paste": None if self.paste is None else self.paste.to_dict(),
            "deformation": None if self.deformation is None else self.deformation.to_dict(),
            "layers": [layer.to_dict() for layer in self.layers],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Motion:
        """Restore a motion from what :meth:`to_dict` returned.

        Args:
            data: Exactly the keys that :meth:`to_dict` writes, in every part.

        Raises:
            ValueError: If keys are missing or unknown, or if the values make no motion.
        """
        values = exact_keys(cls, data)
        if values["paste"] is not None:
            values["paste"] = Paste(**exact_keys(Paste, values["paste"]))
        if values["deformation"] is not None:
            values["deformation"] = Deformation(**exact_keys(Deformation, values["deformation"]))
        layers = [exact_keys(Layer, layer) for layer in values["layers"]]
        values["layers"] = tuple(
            Layer(
                Matte(**exact_keys(Matte, layer["matte"])),
                cls.from_dict(layer["motion"]),
                layer["image"],
            )
            for layer in layers
        )
        values["color_ops"] = tuple(values["color_ops"])
        return cls(**values)

    def __copy__(self) -> Motion:
        """Return itself: nobody can change it."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Motion:
        """Return itself: a data sample copies its metainfo deeply, for each clip."""
        return self

    def __eq__(self, other: object) -> bool:
        """Two motions are equal when every number is."""
        if not isinstance(other, Motion):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        """Agree with equality: equal motions have equal homographies (-0.0 written as 0.0)."""
        return hash((self.family, self.size, (self.homographies + 0.0).tobytes()))
