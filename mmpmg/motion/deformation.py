"""A smooth displacement of a frame's pixels, as a sum of a few sine waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .values import FrozenArrays, frozen_array

FloatArray: TypeAlias = npt.NDArray[np.float64]

#: How far, in pixels, an inverted point may lie from the true one.
INVERSE_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Deformation(FrozenArrays):
    r"""Where an output pixel looks beside itself, in every frame.

    Pixel x = (x, y) of frame k looks at ``x + d_k(x)`` (before the homography, see
    :class:`mmpmg.motion.Motion`), with

    ``d_k(x) = sum_m amplitudes[k, m] * sin(frequencies[m] . x + phases[m])``.

    A wave that travels is two terms of one frequency, a quarter turn apart in phase, whose
    amplitudes change over time. The sum over m of ``|amplitudes[k, m]| * |frequencies[m]|``, the
    strain, bounds the slope of d; it must be below 1 in every frame, for then ``x + d(x)`` folds
    nowhere and every point of the plane is seen exactly once.

    Attributes:
        frequencies: (M, 2) float64, radians per pixel along x and y.
        phases: (M,) float64, radians.
        amplitudes: (T, M, 2) float64, pixels along x and y.

    Raises:
        ValueError: If shapes do not match, a number is not finite, or a frame folds over itself.
    """

    frequencies: FloatArray
    phases: FloatArray
    amplitudes: FloatArray

    def __post_init__(self) -> None:
        """Freeze the arrays; refuse what cannot be inverted."""
        frequencies = frozen_array(self.frequencies, np.float64)
        phases = frozen_array(self.phases, np.float64)
        amplitudes = frozen_array(self.amplitudes, np.float64)
        shapes = frequencies.shape, phases.shape, amplitudes.shape
        waves, frames = phases.size, len(amplitudes) if amplitudes.ndim else 0
        if shapes != ((waves, 2), (waves,), (frames, waves, 2)) or not waves or not frames:
            raise ValueError(
                "Deformation: frequencies, phases and amplitudes have shapes "
                f"{', '.join(map(str, shapes))}, expected (M, 2), (M,) and (T, M, 2)"
            )
        if not all(np.isfinite(a).all() for a in (frequencies, phases, amplitudes)):
            raise ValueError("Deformation: frequencies, phases and amplitudes must be finite")
        object.__setattr__(self, "frequencies", frequencies)
        object.__setattr__(self, "phases", phases)
        object.__setattr__(self, "amplitudes", amplitudes)
        strains = self.strains()
        if strains.max() >= 1.0:
            raise ValueError(
                f"Deformation: the sum of |amplitude| * |frequency| is {strains.max():.3g} in "
                f"frame {int(strains.argmax())}; at 1 and above the picture may fold over itself, "
                "so lower the amplitudes (an op's strain)"
            )

    @property
    def num_frames(self) -> int:
        """T, the number of frames."""
        return len(self.amplitudes)

    def strains(self) -> FloatArray:
        """Return (T,): the bound on the slope of every frame's displacement, below 1."""
        amounts = np.hypot(self.amplitudes[..., 0], self.amplitudes[..., 1])
        return amounts @ np.hypot(self.frequencies[:, 0], self.frequencies[:, 1])

    def reach(self) -> FloatArray:
        """Return (T, 2): no pixel of a frame is displaced by more along x and y, in pixels."""
        return np.abs(self.amplitudes).sum(axis=1)

    def basis(self, xs: FloatArray, ys: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Part the waves on a grid of pixels into factors of y and of x.

        ``sin(a + b) = sin(a) cos(b) + cos(a) sin(b)``: the displacement of a whole frame along one
        axis is ``(by_y * [a, a]) @ by_x`` with a the M amplitudes of that frame and axis, one small
        matrix product.

        Args:
            xs: (W,) positions of the columns, pixels.
            ys: (H,) positions of the rows, pixels.

        Returns:
            by_y (H, 2M) and by_x (2M, W), the same for all frames.
        """
        across = self.frequencies[:, :1] * xs
        down = np.outer(ys, self.frequencies[:, 1]) + self.phases
        by_y = np.concatenate([np.cos(down), np.sin(down)], axis=1)
        return by_y, np.concatenate([np.sin(across), np.cos(across)])

    def at(self, frame: int, points: FloatArray) -> FloatArray:
        """Return the displacement (..., 2) of points (..., 2) of a frame, pixels."""
        angles = points @ self.frequencies.T + self.phases
        return np.sin(angles) @ self.amplitudes[frame]

    def invert(self, frame: int, targets: FloatArray) -> FloatArray:
        """Find the pixels that look at given points: solve ``x + d(x) = target``.

        Newton's method; a step that does not lessen the residual by the factor that fixed-point
        iteration promises (the strain) is replaced by a step of that iteration, which always does.

        Args:
            frame: k.
            targets: (..., 2) points, pixels.

        Returns:
            (..., 2) float64, the only solution, to ``INVERSE_TOLERANCE`` pixels.
        """
        wanted = np.ascontiguousarray(targets, dtype=np.float64).reshape(-1, 2)
        strain = float(self.strains()[frame])
        # The slope of x + d(x) is at least 1 - strain, so a residual bounds the error by this.
        enough = INVERSE_TOLERANCE * (1.0 - strain)
        found = wanted - self.at(frame, wanted)
        residual = found + self.at(frame, found) - wanted
        open_ = np.flatnonzero(np.hypot(*residual.T) > enough)
        while len(open_):
            x, r, goal = found[open_], residual[open_], wanted[open_]
            stepped = x - self._newton_step(frame, x, r)
            left = stepped + self.at(frame, stepped) - goal
            # Not "<=": where a step went to infinity the comparison must fail.
            bad = ~(np.hypot(*left.T) < max(strain, 1e-12) * np.hypot(*r.T))
            if bad.any():
                stepped[bad] = x[bad] - r[bad]
                left[bad] = stepped[bad] + self.at(frame, stepped[bad]) - goal[bad]
            found[open_], residual[open_] = stepped, left
            # What does not get smaller any more is as exact as float64 can be.
            going_on = (np.hypot(*left.T) > enough) & (np.hypot(*left.T) < np.hypot(*r.T))
            open_ = open_[going_on]
        return found.reshape(targets.shape)

    def _newton_step(self, frame: int, points: FloatArray, residual: FloatArray) -> FloatArray:
        """Solve J step = residual with J the slope of x + d(x) at (n, 2) points."""
        slopes = np.cos(points @ self.frequencies.T + self.phases)
        # [n, M] @ [M, 4]: d(dx)/dx, d(dx)/dy, d(dy)/dx, d(dy)/dy
        products = self.amplitudes[frame][:, :, None] * self.frequencies[:, None, :]
        a, b, c, d = (slopes @ products.reshape(-1, 4)).T + np.array([[1.0], [0.0], [0.0], [1.0]])
        u, v = residual.T
        # The determinant is at least (1 - strain)^2, above 0.
        return np.stack([d * u - b * v, a * v - c * u], axis=1) / (a * d - b * c)[:, None]

    def to_dict(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain python data."""
        return {
            "frequencies": self.frequencies.tolist(),
            "phases": self.phases.tolist(),
            "amplitudes": self.amplitudes.tolist(),
        }

    def __eq__(self, other: object) -> bool:
        """Two deformations are equal when every number is."""
        if not isinstance(other, Deformation):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        """Agree with equality (-0.0 written as 0.0)."""
        return hash((self.frequencies + 0.0).tobytes())
