"""Fields of a shader: scalar patterns over the plane, from plain waves to folded fractals.

Every rule takes horizontal and vertical coordinates (float32 arrays of one shape) and returns
values of which most lie in [0, 1]. Arithmetic as `exact_math` allows; arguments stay as they are.
"""

from __future__ import annotations

from .fractal_fields import FRACTALS
from .grammar import Vocabulary
from .noise_fields import NOISES
from .tile_fields import TILES
from .wave_fields import WAVES

#: All fields, in an order that the draw of a program depends on.
FIELDS = Vocabulary(WAVES, NOISES, TILES, FRACTALS)
