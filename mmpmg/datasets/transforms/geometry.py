"""What a pipeline may do behind the step that made a clip's motion, and the motion stays true."""

from __future__ import annotations

CHANGES_CLIP = ("PMGPipeline", "PMGAug")
"""Steps that replace the clip by one whose motion they know."""

READS_MOTION = ("DenseFlow", "MotionMap")
"""Steps that tell the flow, or the motion map, of the clip as they find it."""

READ_KEYS = ("flow", "covisible", "motion_map")
"""What those steps put into the results: a step that replaces the clip makes it untrue."""

MAKES_MOTION = (*CHANGES_CLIP, *READS_MOTION)
"""Steps behind which the motion, the flow, or the motion map of a clip is known."""

KEEPS_PIXELS_IN_PLACE = frozenset(
    {"DenseFlow", "MotionMap", "FormatShape", "PackActionInputs", "ColorJitter", "SeedSample"}
)
"""Steps that change how frames are stored or coloured, not where anything stands in them."""
