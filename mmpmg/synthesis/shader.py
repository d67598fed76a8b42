"""Procedural shader images: every category is another random program, every instance a view of it.

The paper's best source of stills is Shaders1k, pictures by small programs of coordinates, waves,
noise, folds and palettes. These are such programs, written by a random generator: a layer draws a
field (`fields`) on a body in space (`surfaces`) through a chain of coordinate steps
(`coordinates`) in the colours of a palette (`palette`); layers are laid over each other; the
result is lit as a relief, or not.

The images of one program differ as the frames of one shader do: time has passed, the camera
stands elsewhere, parameters have moved a little; rules and colours stay.

The image is the same to the last bit on any machine: programs are written by whole-number
arithmetic (`random_stream`) and drawn by operations that every processor rounds alike
(`exact_math`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .coordinates import turned
from .exact_math import edge
from .layer import Layer
from .random_stream import RandomStream
from .trackability import merit

_PROXY = 64  # side of the small picture by which a program is judged and exposed
_PROGRAMS = 1000
_VIEWS = 6
_TILE = 16384  # pixels drawn at a time: their intermediate results stay in the processor's cache
_BLENDS = ("mask", "multiply", "screen", "difference")
_BLEND_WEIGHTS = (0.6, 0.14, 0.13, 0.13)


@dataclass(frozen=True)
class ShaderProgram:
    """A random program that draws one picture at any size: a value.

    Args:
        layers: what is drawn, from the bottom up.
        blends: how each layer above the first is laid over those below.
        threshold: value of a layer's field above which ``"mask"`` shows it.
        zoom: how much of the plane the camera sees; 1 sees from -1 to 1.
        tilt: how the camera is turned, in turns.
        centre: what it looks at, (horizontal, vertical).
        exposure: (black, white), the brightness that becomes 0 and 1.
    """

    layers: tuple[Layer, ...]
    blends: tuple[str, ...]
    threshold: float
    zoom: float = 1.0
    tilt: float = 0.0
    centre: tuple[float, float] = (0.0, 0.0)
    exposure: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def of_category(cls, seed: int, category: int) -> ShaderProgram:
        """Write the program of a category.

        Programs that are flat, or as fine as white noise, are dropped (`trackability.merit`) and
        the next one is tried. The judgement is made on small pictures of fixed size, so that it
        depends on nothing but the two numbers: the plain view and two others must pass.

        Args:
            seed: 0 or more.
            category: 0 or more.

        Returns:
            The program.

        Raises:
            ValueError: a number is negative.
        """
        for name, value in (("seed", seed), ("category", category)):
            if value < 0:
                raise ValueError(f"{name}={value}: must be 0 or more")
        for attempt in range(_PROGRAMS):
            stream = RandomStream(seed, category, attempt)
            program, passed = cls._draw(stream)._exposed()
            if not passed:
                continue
            if all(program._vary(stream, 1.0)._exposed()[1] for _ in range(2)):
                return program
        raise RuntimeError(f"no program of {_PROGRAMS} passes: seed={seed}, category={category}")

    @classmethod
    def _draw(cls, stream: RandomStream) -> ShaderProgram:
        number = stream.choice((1, 2, 3), (0.25, 0.5, 0.25))
        layers = tuple(Layer.sample(stream) for _ in range(number))
        blends = tuple(stream.choice(_BLENDS, _BLEND_WEIGHTS) for _ in layers[1:])
        return cls(layers, blends, threshold=stream.uniform(0.35, 0.6))

    def view(self, seed: int, category: int, instance: int) -> ShaderProgram:
        """Draw another image of the program.

        A view that is flat is dropped, and one nearer to the program's own tried, down to that
        itself, which is not flat.

        Args:
            seed: the program's.
            category: the program's.
            instance: which view, 0 or more.

        Returns:
            The same program with parameters near by, seen by another camera at another time.

        Raises:
            ValueError: the instance is negative.
        """
        if instance < 0:
            raise ValueError(f"instance={instance}: must be 0 or more")
        for attempt in range(_VIEWS):
            stream = RandomStream(seed, category, instance, attempt)
            program, passed = self._vary(stream, 1 - attempt / _VIEWS)._exposed()
            if passed:
                return program
        return self

    def _vary(self, stream: RandomStream, amount: float) -> ShaderProgram:
        return replace(
            self,
            layers=tuple(layer.vary(stream, amount) for layer in self.layers),
            threshold=self.threshold + 0.06 * amount * stream.uniform(-1, 1),
            zoom=1 + amount * stream.uniform(-0.3, 0.25),
            tilt=0.06 * amount * stream.uniform(-1, 1),
            centre=(0.4 * amount * stream.uniform(-1, 1), 0.4 * amount * stream.uniform(-1, 1)),
        )

    def _exposed(self) -> tuple[ShaderProgram, bool]:
        """Set the exposure by a small picture, and say whether that is worth a larger one."""
        [(_, planes)] = self._tiles(_PROXY, _PROXY, _PROXY)
        values = np.stack(planes).ravel()
        dark = values.size // 50
        bright = values.size - dark - 1
        values = np.partition(values, (dark, bright))
        low, high = float(values[dark]), float(values[bright])
        program = replace(self, exposure=(low, max(high, low + 0.05)))
        return program, merit(program._developed(planes)) >= 1

    def describe(self) -> str:
        """Return the program as one line of text for each layer."""
        lines = []
        for blend, layer in zip(("base", *self.blends), self.layers, strict=True):
            parts = (layer.surface, *layer.steps, layer.field)
            chain = " | ".join(str(step) for step in parts if step is not None)
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
        picture = np.empty((height, width, 3), np.uint8)
        for top, planes in self._tiles(height, width, max(1, _TILE // width)):
            picture[top : top + len(planes[0])] = self._developed(planes)
        return picture

    def _tiles(self, height: int, width: int, rows: int) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Draw the picture from the top, ``rows`` rows at a time: (first row, red green blue)."""
        short = min(height, width)
        pixel = 2 * self.zoom / short
        # Pixel centres, from -1 to 1 along the shorter side; one more for the relief's slopes.
        columns = (2 * np.arange(width + 1, dtype=np.float32) + (1 - width)) / np.float32(short)
        lines = (2 * np.arange(height + 1, dtype=np.float32) + (1 - height)) / np.float32(short)
        for top in range(0, height, rows):
            y, x = np.broadcast_arrays(lines[top : top + rows + 1, None], columns)
            x, y = turned(x, y, self.tilt, self.zoom)
            x += self.centre[0]
            y += self.centre[1]
            planes, _ = self.layers[0].render(x, y, pixel)
            for layer, blend in zip(self.layers[1:], self.blends, strict=True):
                above, value = layer.render(x, y, pixel)
                if blend == "mask":
                    alpha = edge(value - self.threshold, 0.08)
                for plane, colour in zip(planes, above, strict=True):
                    if blend == "mask":
                        colour -= plane
                        colour *= alpha
                        plane += colour
                    elif blend == "multiply":
                        colour *= 1.2
                        colour += 0.3
                        plane *= colour
                    elif blend == "screen":
                        colour *= 1 - np.minimum(plane, 1)
                        plane += colour
                    else:
                        plane -= colour
                        np.abs(plane, out=plane)
            yield top, planes

    def _developed(self, planes: list[np.ndarray]) -> np.ndarray:
        """Turn brightness into (H, W, 3) uint8, in a copy."""
        low, high = self.exposure
        picture = np.empty((*planes[0].shape, 3), np.uint8)
        for channel, plane in enumerate(planes):
            grey = plane - low
            grey *= 255 / (high - low)
            grey += 0.5
            np.minimum(grey, 255, out=grey)
            np.maximum(grey, 0, out=grey)
            picture[..., channel] = grey
        return picture


def shader_image(
    seed: int, category: int, instance: int, size: int | tuple[int, int] = 256
) -> np.ndarray:
    """Make a shader image.

    Args:
        seed: 0 or more; another seed gives other programs.
        category: which program, 0 or more.
        instance: which image of the program, 0 or more.
        size: side, or (height, width), in pixels.

    Returns:
        (H, W, 3) uint8 RGB, a function of the arguments alone.

    Raises:
        ValueError: a number is negative or 2^32 and more, or a side is below 1.

    >>> image = shader_image(seed=0, category=3, instance=1, size=64)
    >>> bool((image == shader_image(seed=0, category=3, instance=1, size=64)).all())
    True
    """
    if max(seed, category, instance) >= 2**32:
        raise ValueError(f"{seed=}, {category=}, {instance=}: must be below 2^32")
    height, width = (size, size) if isinstance(size, int) else size
    return _program(seed, category).view(seed, category, instance).render(height, width)


@lru_cache(maxsize=4096)
def _program(seed: int, category: int) -> ShaderProgram:
    """Write a program once: that takes about as long as drawing an image of 256²."""
    return ShaderProgram.of_category(seed, category)
