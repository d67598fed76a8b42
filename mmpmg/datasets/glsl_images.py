"""Images drawn by GLSL fragment shaders of the user's own."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence

import numpy as np
from mmaction.registry import DATASETS
from mmengine.logging import print_log

from mmpmg.synthesis.glsl_process import GLSLError, GLSLProcess
from mmpmg.synthesis.glsl_source import complete
from mmpmg.synthesis.glsl_uniforms import uniforms

from .folder_index import index_folder
from .generated_images import GeneratedImages
from .image_decoding import ImageReadError

_CHECK_SIDE = 16  # pixels; enough to compile and to notice an endless loop
_TOLD = 20  # messages in the log


@DATASETS.register_module()
class GLSLImages(GeneratedImages):
    """Images that a folder of fragment shaders draws without a screen (`glsl_source`: dialects).

    A category is a shader file, an image of it one moment: time and mouse are drawn from
    (``seed``, category, instance). Needs ``pip install "mmpmg[glsl]"`` and EGL. Unlike those of
    the other generators, the images depend on the OpenGL driver.

    Every shader is drawn once, small, at the start. Those that do not compile or take longer than
    ``time_limit`` are left out, counted, and named in the log with the compiler's message
    (`skipped`). One that hangs later on costs that image: `load` raises `ImageReadError`.

    Args:
        root: folder with the shaders, sub-folders included.
        images_per_category: how many images of each shader.
        size: side, or (height, width), in pixels.
        seed: another seed shows other moments.
        extensions: file name endings that count.
        max_time: seconds; moments are drawn from the first so many of a shader's time.
        time_limit: seconds that one image may take, compiling included.

    Attributes:
        skipped: path below ``root`` -> why the shader is left out.

    Raises:
        FileNotFoundError: the folder is missing, or holds no shader that can be drawn.
        GLSLUnavailableError: moderngl or EGL is missing.
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        root: str,
        images_per_category: int = 100,
        size: int | Sequence[int] = 256,
        seed: int = 0,
        extensions: Sequence[str] = (".frag", ".fs", ".glsl"),
        max_time: float = 60.0,
        time_limit: float = 10.0,
    ) -> None:
        self.root = os.path.expanduser(root)
        if not os.path.isdir(self.root):
            raise FileNotFoundError(
                f"The shader folder {root} does not exist (images.root in the recipe)."
            )
        if not max_time > 0:
            raise ValueError(f"images.max_time={max_time}: must be above 0")
        self.max_time = max_time
        self._process = GLSLProcess(time_limit)
        endings = tuple("." + ending.lower().lstrip(".") for ending in extensions)
        index = index_folder(self.root, endings, recursive=True, cache=False)
        self.skipped: dict[str, str] = {}
        self._files: list[str] = []
        self._sources: list[str] = []
        for number in range(len(index)):
            self._add(os.fsdecode(index[number]))
        self._process.close()  # each data worker starts its own
        self._tell(root)
        if not self._files:
            raise FileNotFoundError(
                f"The shader folder {root} (images.root in the recipe) holds no shader that can be "
                f"drawn: {len(self.skipped)} of {len(index)} files that end in "
                f"{', '.join(endings)} were left out"
                + "".join(f"; {name}: {why}" for name, why in list(self.skipped.items())[:1])
                + "."
            )
        super().__init__(len(self._files), images_per_category, size, seed)

    def _add(self, file: str) -> None:
        """Take a shader in, if it can be drawn."""
        try:
            with open(os.path.join(self.root, file), encoding="utf-8", errors="replace") as opened:
                source = complete(opened.read()).text
            moment = uniforms(0, 0, 0, (_CHECK_SIDE, _CHECK_SIDE), 1.0)
            self._process.draw(source, _CHECK_SIDE, _CHECK_SIDE, moment)
        except OSError as error:
            self.skipped[file] = error.strerror or type(error).__name__
        except GLSLError as error:
            self.skipped[file] = str(error)
        else:
            self._files.append(file)
            self._sources.append(source)

    def _tell(self, root: str) -> None:
        if not self.skipped:
            return
        told = [f"  {name}: {why}" for name, why in list(self.skipped.items())[:_TOLD]]
        if len(self.skipped) > _TOLD:
            told.append(f"  and {len(self.skipped) - _TOLD} more")
        count = len(self.skipped) + len(self._files)
        print_log(
            f"{root}: {len(self.skipped)} of {count} shaders are left out:\n" + "\n".join(told),
            logger="current",
            level=logging.WARNING,
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 of the shaders that are drawn, paths and completed sources."""
        shaders = sorted(zip(self._files, self._sources, strict=True))
        text = json.dumps(shaders)  # ASCII, surrogates of odd file names included
        return hashlib.sha256(text.encode()).hexdigest()

    def _moment(self, index: int) -> tuple[int, dict]:
        category, instance = self.address(index)
        return category, uniforms(self.seed, category, instance, self.size, self.max_time)

    def name(self, index: int) -> str:
        """Return the shader's file and the time of the image."""
        category, moment = self._moment(index)
        return f"{os.path.join(self.root, self._files[category])} at {moment['iTime']:.3f} s"

    def load(self, index: int) -> np.ndarray:
        """Draw an image, (H, W, 3) uint8 RGB; raise `ImageReadError` when the shader fails."""
        category, moment = self._moment(index)
        try:
            return self._process.draw(self._sources[category], *self.size, moment)
        except GLSLError as error:
            raise ImageReadError(self.name(index), str(error)) from None
