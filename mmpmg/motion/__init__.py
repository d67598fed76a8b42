"""How an image moves: ops draw a Motion, a renderer makes the clip.

>>> import numpy as np
>>> from mmpmg.motion import Motion, ZoomInOut, render
>>> image = np.full((224, 224, 3), 128, dtype=np.uint8)
>>> motion = ZoomInOut().sample(np.random.default_rng(0), num_frames=16, size=(224, 224))
>>> render(image, motion).shape
(16, 224, 224, 3)
>>> motion.flow().shape  # exact, from each frame to its next
(15, 224, 224, 2)
>>> Motion.from_dict(motion.to_dict()) == motion
True

Needs numpy and OpenCV alone: no registry, no torch.
"""

from .affine import Affine
from .composition import compose
from .cutmix import CutMix
from .deformation import Deformation
from .geometric import Identity
from .layer import Layer
from .layered import Layered
from .matte import Matte
from .mixing import Box, mixup, sample_box, sample_lam, videomix
from .motion import Motion
from .ops import OPS, Op, build_op
from .paste import Paste
from .perspective import Perspective
from .photometric import ColorJitter, FadeInOut
from .render_opencv import render
from .sampler import MotionSampler
from .smooth_displacement import SmoothDisplacement
from .windows import SlidingWindow, ZoomInOut

__all__ = [
    "OPS",
    "Affine",
    "Box",
    "ColorJitter",
    "CutMix",
    "Deformation",
    "FadeInOut",
    "Identity",
    "Layer",
    "Layered",
    "Matte",
    "Motion",
    "MotionSampler",
    "Op",
    "Paste",
    "Perspective",
    "SlidingWindow",
    "SmoothDisplacement",
    "ZoomInOut",
    "build_op",
    "compose",
    "mixup",
    "render",
    "sample_box",
    "sample_lam",
    "videomix",
]
