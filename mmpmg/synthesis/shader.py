"""Procedural shader images: every seed is another random program.

The paper's best source of stills is Shaders1k, pictures by small programs of coordinates, waves,
noise, folds and palettes. These are such programs, written by a random generator: a layer draws a
field (`fields`) through a chain of coordinate steps (`coordinates`) in the colours of a cosine
palette; layers are laid over each other; the result is lit as a relief, or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .coordinates import COORDINATES
from .fields import FIELDS, edge
from .grammar import Step

_PROXY = 96  # side of the small picture by which a program is judged and exposed
_ATTEMPTS = 12
_SLOPE = 0.025  # brightness a pixel, on the proxy, that counts as structure
_BLENDS = ("mask", "mask", "mask", "multiply", "screen", "difference")
_COLOURS = 512  # entries of a palette's table


@dataclass(frozen=True)
class Palette:
    """Colours a + b cos(2π(c t + d)), one wave for each of red, green and blue.

    Args:
        bias: a, three numbers.
        swing: b, three numbers.
        cycles: c, three whole numbers, so that the colours close into a circle.
        phase: d, three numbers.
    """

    bias: tuple[float, ...]
    swing: tuple[float, ...]
    cycles: tuple[float, ...]
    phase: tuple[float, ...]

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Palette:
        """Draw a palette.

        Args:
            rng: what to draw from.

        Returns:
            The palette.
        """
        # The farther apart the three phases, the more hues; close together, shades of one.
        start, spread = rng.uniform(0, 1), rng.uniform(0.04, 0.34)
        phase = start + spread * rng.permutation(3) + rng.uniform(-0.05, 0.05, 3)
        cycles = rng.choice([1, 2], 3, p=[0.85, 0.15])
        bias = rng.uniform(0.38, 0.62, 3) * rng.uniform(0.75, 1.1)
        swing = rng.uniform(0.15, 0.55) + rng.uniform(-0.1, 0.1, 3)
        return cls(*(tuple(float(v) for v in part) for part in (bias, swing, cycles, phase)))

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """Return the colours of values on the circle of colours.

        Args:
            t: any shape; only the fraction counts.

        Returns:
            The same shape with a last axis of 3 added, float32, roughly in [0, 1].
        """
        wave = np.arange(_COLOURS)[:, None] / _COLOURS * self.cycles + self.phase
        table = np.asarray(self.bias) + np.asarray(self.swing) * np.cos(2 * np.pi * wave)
        index = (t * np.float32(_COLOURS)).astype(np.int32) & (_COLOURS - 1)
        return np.clip(table, 0, 1).astype(np.float32)[index]


@dataclass(frozen=True)
class Layer:
    """One field, seen through coordinate steps, in colour.

    Args:
        steps: coordinate steps, applied in order.
        field: what is drawn.
        tint: a second field that moves the colour, or None.
        palette: the colours.
        bands: how often the palette is run through.
        tint_amount: how far the second field moves the colour.
        shade: how much the field also sets the brightness, [0, 1].
        posterise: number of flat steps that the field is cut into, 0 for none.
        relief: strength of the light on the field taken as a height, 0 for none.
        light: direction that it comes from, radians.
    """

    steps: tuple[Step, ...]
    field: Step
    tint: Step | None
    palette: Palette
    bands: float
    tint_amount: float
    shade: float
    posterise: int
    relief: float
    light: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Layer:
        """Draw a layer.

        Args:
            rng: what to draw from.

        Returns:
            The layer.
        """
        steps = tuple(
            COORDINATES.sample(rng) for _ in range(rng.choice(4, p=[0.1, 0.35, 0.4, 0.15]))
        )
        return cls(
            steps=steps,
            field=FIELDS.sample(rng),
            tint=FIELDS.sample(rng) if rng.random() < 0.45 else None,
            palette=Palette.sample(rng),
            bands=float(rng.uniform(0.35, 1.6)),
            tint_amount=float(rng.uniform(0.2, 0.6)),
            shade=float(rng.choice([0.0, rng.uniform(0.4, 1.0)], p=[0.3, 0.7])),
            posterise=int(rng.choice([0, rng.integers(3, 8)], p=[0.75, 0.25])),
            relief=float(rng.choice([0.0, rng.uniform(0.05, 0.3)], p=[0.5, 0.5])),
            light=float(rng.uniform(0, 2 * np.pi)),
        )

    def render(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw the layer.

        Args:
            x: horizontal coordinates, (H, W) float32.
            y: vertical coordinates, same shape.

        Returns:
            Colours (H, W, 3), roughly in [0, 1], and the field (H, W).
        """
        pixel = float(x[0, 1] - x[0, 0]) if x.shape[1] > 1 else 2.0
        for step in self.steps:
            x, y = step(x, y)
        value = _tame(self.field(x, y))
        shown = value
        if self.posterise:
            shown = np.floor(value * self.posterise) / np.float32(self.posterise)
        t = shown * np.float32(self.bands)
        if self.tint is not None:
            t = t + np.float32(self.tint_amount) * _tame(self.tint(x, y))
        colour = self.palette(t)
        if self.shade:
            shade = 1 - self.shade + np.float32(1.3 * self.shade) * np.clip(shown, 0, 1)
            colour *= shade[..., None]
        if self.relief and min(value.shape) > 1:
            down, right = np.gradient(value, np.float32(pixel))
            slope = np.float32(np.cos(self.light)) * right + np.float32(np.sin(self.light)) * down
            slope *= np.float32(self.relief)
            colour *= (1 + slope / (1 + np.abs(slope)))[..., None]
        return colour, value


@dataclass(frozen=True)
class ShaderProgram:
    """A random program that draws one picture at any size: a value, fixed by its seed.

    Args:
        layers: what is drawn, from the bottom up.
        blends: how each layer above the first is laid over those below.
        threshold: value of a layer's field above which ``"mask"`` shows it.
        exposure: (black, white), the brightness that becomes 0 and 1.
    """

    layers: tuple[Layer, ...]
    blends: tuple[str, ...]
    threshold: float
    exposure: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def sample(cls, seed: int) -> ShaderProgram:
        """Write the program of a seed.

        Programs whose picture is flat, or as fine as white noise, are dropped and the next one of
        the seed is tried; if all fail, the best counts. The judgement is made on a small picture
        of fixed size, so that it depends on nothing but the seed.

        Args:
            seed: 0 or more.

        Returns:
            The program.

        Raises:
            ValueError: the seed is negative.
        """
        if seed < 0:
            raise ValueError(f"seed={seed}: must be 0 or more")
        best: tuple[float, ShaderProgram] | None = None
        for attempt in range(_ATTEMPTS):
            program = cls._draw(np.random.default_rng((seed, attempt)))
            proxy = program._render_linear(_PROXY, _PROXY)
            low, high = np.percentile(proxy, (2, 98))
            program = replace(program, exposure=(float(low), float(max(high, low + 0.05))))
            merit = _merit(program._expose(proxy))
            if best is None or merit > best[0]:
                best = (merit, program)
            if merit >= 1:
                break
        assert best is not None
        return best[1]

    @classmethod
    def _draw(cls, rng: np.random.Generator) -> ShaderProgram:
        layers = tuple(Layer.sample(rng) for _ in range(rng.choice([1, 2, 3], p=[0.25, 0.5, 0.25])))
        blends = tuple(str(rng.choice(_BLENDS)) for _ in layers[1:])
        return cls(layers, blends, threshold=float(rng.uniform(0.35, 0.6)))

    def describe(self) -> str:
        """Return the program as one line of text for each layer."""
        lines = []
        for blend, layer in zip(("base", *self.blends), self.layers, strict=True):
            chain = " | ".join(str(step) for step in (*layer.steps, layer.field))
            tint = f" tinted by {layer.tint}" if layer.tint is not None else ""
            lines.append(f"{blend}: {chain}{tint}")
        return "\n".join(lines)

    def render(self, height: int, width: int) -> np.ndarray:
        """Draw the picture; another size shows the same composition.

        Args:
            height: pixels, 1 or more.
            width: pixels, 1 or more.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            ValueError: a side is below 1.
        """
        if min(height, width) < 1:
            raise ValueError(f"size=({height}, {width}): both must be 1 or more")
        return (self._expose(self._render_linear(height, width)) * 255 + 0.5).astype(np.uint8)

    def _render_linear(self, height: int, width: int) -> np.ndarray:
        short = min(height, width)
        # Pixel centres; from -1 to 1 along the shorter side.
        columns = (2 * np.arange(width, dtype=np.float32) + 1 - width) / np.float32(short)
        rows = (2 * np.arange(height, dtype=np.float32) + 1 - height) / np.float32(short)
        x, y = np.meshgrid(columns, rows)
        with np.errstate(all="ignore"):  # what overflows is tamed
            picture, _ = self.layers[0].render(x, y)
            for layer, blend in zip(self.layers[1:], self.blends, strict=True):
                colour, value = layer.render(x, y)
                if blend == "mask":
                    alpha = edge(value - np.float32(self.threshold), 0.08)[..., None]
                    picture += alpha * (colour - picture)
                elif blend == "multiply":
                    picture *= 0.3 + 1.2 * colour
                elif blend == "screen":
                    picture += colour * (1 - np.minimum(picture, 1))
                else:
                    picture = np.abs(picture - colour)
        return picture

    def _expose(self, picture: np.ndarray) -> np.ndarray:
        low, high = self.exposure
        return np.clip((picture - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)


def shader_image(seed: int, size: int | tuple[int, int] = 256) -> np.ndarray:
    """Make the shader image of a seed.

    Args:
        seed: 0 or more; every seed is another program.
        size: side, or (height, width), in pixels.

    Returns:
        (H, W, 3) uint8 RGB, a function of the arguments alone.

    Raises:
        ValueError: the seed is negative or a side is below 1.
    """
    height, width = (size, size) if isinstance(size, int) else size
    return ShaderProgram.sample(seed).render(height, width)


def _tame(value: np.ndarray) -> np.ndarray:
    """Return the field as finite float32 within a few units of [0, 1]."""
    value = np.nan_to_num(value.astype(np.float32, copy=False), nan=0.0, posinf=3.0, neginf=-2.0)
    return np.clip(value, -2, 3, out=value)


def _merit(picture: np.ndarray) -> float:
    """Judge a picture: 1 or more when most of it has structure that can be tracked.

    A block of 8 x 8 pixels can be tracked if its brightness changes in both directions, that is if
    the smaller eigenvalue of its structure tensor is not small (Shi and Tomasi's criterion).

    Args:
        picture: (96, 96, 3) in [0, 1].

    Returns:
        The smaller of two ratios to what is asked for: the share of blocks that can be tracked,
        and how alike neighbours are (white noise has corners everywhere, and none to be found
        again).
    """
    grey = picture.mean(axis=-1)
    down, right = np.gradient(grey)

    def block_mean(value: np.ndarray) -> np.ndarray:
        return value.reshape(_PROXY // 8, 8, _PROXY // 8, 8).mean(axis=(1, 3))

    a, b, c = block_mean(down * down), block_mean(right * right), block_mean(down * right)
    smaller = (a + b) / 2 - np.sqrt(((a - b) / 2) ** 2 + c * c)
    tracked = float((smaller > _SLOPE**2).mean())
    smooth = 1 - float(np.abs(np.diff(grey, axis=1)).mean()) / (float(grey.std()) + 1e-3)
    return min(tracked / 0.5, smooth / 0.3)
