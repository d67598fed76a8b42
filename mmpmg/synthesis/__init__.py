"""Images made of nothing but a seed."""

from .fractal import FEWEST_POINTS as FRACTAL_FEWEST_POINTS
from .fractal import fractal_image
from .fractal_drawing import COLORS as FRACTAL_COLORS
from .perlin import perlin_clip
from .shader import ShaderProgram, shader_image
from .visual_atom import visual_atom_image

__all__ = [
    "FRACTAL_COLORS",
    "FRACTAL_FEWEST_POINTS",
    "ShaderProgram",
    "fractal_image",
    "perlin_clip",
    "shader_image",
    "visual_atom_image",
]
