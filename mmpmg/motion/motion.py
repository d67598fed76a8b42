"""The value that says what happens to one image over T frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import displacement
from .paste import Paste, frozen_array
from .ranges import Border, border_fill, choice, clip_shape

FloatArray: TypeAlias = npt.NDArray[np.float64]

RESAMPLINGS = ("recursive", "composed")
INTERPOLATIONS = ("bilinear", "nearest")
COLOR_OPS = ("brightness", "contrast", "saturation", "hue")


@dataclass(frozen=True, eq=False)
class Motion:
    """What happens to one image over T frames: sampled once, replayable, serialisable.

    A frame is made in three steps, in this order: warp, colour, paste.

    * Warp: output pixel (x, y) of frame k shows the source image at ``homographies[k] @ (x, y, 1)``
      after division by the third coordinate w. Pixel centres stand at integers. Points outside the
      image, and points with ``w <= 0`` (behind the horizon), show the border.
    * Colour: the steps named in ``color_ops`` are applied in that order with ``color[k]``. Their
      meaning is torchvision's: brightness, contrast and saturation are factors (1 changes nothing),
      hue is a shift in turns (0 changes nothing).
    * Paste: the rectangle of the partner image covers the frame.

    All three are *absolute*, that is, counted from the source image. In ``composed`` resampling
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
        paste: The pasted rectangle, or None.
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
        choice("Motion", "interpolation", self.interpolation, INTERPOLATIONS)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "homographies", homographies)
        object.__setattr__(self, "border", border_fill("Motion", self.border))
        object.__setattr__(self, "color_ops", color_ops)
        object.__setattr__(self, "color", color)

    @property
    def num_frames(self) -> int:
        """T, the number of frames."""
        return len(self.homographies)

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
        inside a pasted rectangle, the rectangle's own displacement.
        """
        return displacement.flow(self)

    def covisible(self) -> npt.NDArray[np.bool_]:
        """Return (T-1, H, W): True where the point of frame k is also seen in frame k + 1.

        False where it leaves the frame, is behind the horizon, or is covered by the paste. Border
        fill counts as a point like any other: it moves along.
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
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Motion:
        """Restore a motion from what :meth:`to_dict` returned.

        Args:
            data: Exactly the keys that :meth:`to_dict` writes.

        Raises:
            ValueError: If keys are missing or unknown, or if the values make no motion.
        """
        known = {f.name for f in fields(cls)}
        if set(data) != known:
            raise ValueError(
                f"Motion.from_dict: missing keys {sorted(known - set(data))}, "
                f"unknown keys {sorted(set(data) - known)}"
            )
        values = dict(data)
        if values["paste"] is not None:
            values["paste"] = Paste(**values["paste"])
        values["color_ops"] = tuple(values["color_ops"])
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        """Two motions are equal when every number is."""
        if not isinstance(other, Motion):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        """Agree with equality: equal motions have equal homographies (-0.0 written as 0.0)."""
        return hash((self.family, self.size, (self.homographies + 0.0).tobytes()))
