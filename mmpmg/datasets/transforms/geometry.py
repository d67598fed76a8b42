"""What a pipeline may do behind the step that made a clip's motion, and the motion stays true."""

from __future__ import annotations

MAKES_MOTION = ("PMGPipeline", "PMGAug", "DenseFlow", "MotionMap")
"""Steps behind which the motion, the flow, or the motion map of a clip is known."""

KEEPS_PIXELS_IN_PLACE = frozenset(
    {"DenseFlow", "MotionMap", "FormatShape", "PackActionInputs", "ColorJitter", "SeedSample"}
)
"""Steps that change how frames are stored or coloured, not where anything stands in them."""
