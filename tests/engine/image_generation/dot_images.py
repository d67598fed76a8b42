"""A quick generator for tests, that can be slow, refuse an image, fail or die on demand."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from mmaction.registry import DATASETS

from mmpmg.datasets import GeneratedImages, ImageReadError
from mmpmg.engine.image_generation import command


@DATASETS.register_module(force=True)
class DotImages(GeneratedImages):
    """Random dots; grey where the category is even.

    Args:
        num_categories, images_per_category, size, seed: as every generator's.
        delay: seconds an image takes.
        trouble: a file; its words ``refuse C I``, ``raise C I``, ``die C I`` and ``hold C I`` say
            what happens to instance I of category C; it is held until the file is gone.
    """

    def __init__(
        self,
        num_categories: int = 5,
        images_per_category: int = 10,
        size: int = 6,
        seed: int = 0,
        delay: float = 0.0,
        trouble: str = "",
    ) -> None:
        super().__init__(num_categories, images_per_category, size, seed)
        self.delay = delay
        self.trouble = trouble

    def name(self, index: int) -> str:
        return f"dots({self.seed}, {self.address(index)})"

    def load(self, index: int) -> np.ndarray:
        category, instance = self.address(index)
        if self.trouble and Path(self.trouble).exists():
            what, *address = Path(self.trouble).read_text().split()
            if address == [str(category), str(instance)]:
                if what == "refuse":
                    raise ImageReadError(self.name(index), "it does not\ncompile")
                if what == "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                if what == "raise":
                    raise ZeroDivisionError("no dots today")
                while Path(self.trouble).exists():
                    time.sleep(0.01)
        time.sleep(self.delay)
        rng = np.random.default_rng((self.seed, category, instance))
        image = rng.integers(0, 256, (*self.size, 3), dtype=np.uint8)
        if category % 2 == 0:
            image[..., 1:] = image[..., :1]
        return image


def use_dots(monkeypatch) -> None:
    """Let ``dots`` be a source of tools/generate_images.py."""
    monkeypatch.setitem(command.SOURCES, "dots", "DotImages")


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones included."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
