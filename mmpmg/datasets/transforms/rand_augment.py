"""RandAugment with one draw for all frames of a clip."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mmpmg.datasets.sample_seed import generator


@TRANSFORMS.register_module()
class ClipRandAugment(BaseTransform):
    """timm's RandAugment, the same operations at the same strength on every frame.

    PMG, supplement, Table 2: "RandAug (9, 0.5)". The number of operations is not given there;
    VideoMAE's script uses 4. (MMAction2's wrapper of pytorchvideo's version does not import beside
    today's torchvision.)

    Required and changed key: ``imgs``, a list of (H, W, 3) uint8 RGB frames.

    Args:
        magnitude: Strength of the operations, a whole number in [0, 10].
        magnitude_std: Standard deviation of the strength, >= 0.
        num_ops: Operations applied to a clip, >= 1.

    Raises:
        ValueError: An option is outside its range.
        ImportError: timm, or the torchvision that it needs, does not import.
    """

    def __init__(self, magnitude: int = 9, magnitude_std: float = 0.5, num_ops: int = 4) -> None:
        if not isinstance(magnitude, int) or not 0 <= magnitude <= 10:
            raise ValueError(
                f"ClipRandAugment.magnitude={magnitude}: must be a whole number in [0, 10]"
            )
        if magnitude_std < 0:
            raise ValueError(f"ClipRandAugment.magnitude_std={magnitude_std}: must be 0 or more")
        if num_ops < 1:
            raise ValueError(f"ClipRandAugment.num_ops={num_ops}: must be 1 or more")
        try:
            from timm.data.auto_augment import rand_augment_transform
        except (ImportError, RuntimeError) as error:  # a torchvision of another build: RuntimeError
            raise ImportError(
                "ClipRandAugment needs timm with a torchvision that fits the installed torch "
                f"({error}); type: pip install timm torchvision, or take ClipRandAugment out of "
                "the recipe's pipeline"
            ) from error
        self._make = rand_augment_transform
        self.spec = f"rand-m{magnitude}-n{num_ops}-mstd{magnitude_std:f}-inc1"

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Augment every frame alike."""
        from PIL import Image

        frames = results["imgs"]
        side = min(frames[0].shape[:2])
        augment = self._make(
            self.spec, dict(translate_const=int(side * 0.45), img_mean=(124, 116, 104))
        )
        seed = int(generator(results, "ClipRandAugment").integers(2**32))
        # timm draws from the global generators, anew for every image: start each frame from the
        # same state, and leave the generators as they were.
        before = random.getstate(), np.random.get_state()  # noqa: NPY002
        try:
            results["imgs"] = [self._apply(augment, Image.fromarray(f), seed) for f in frames]
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002
        return results

    @staticmethod
    def _apply(augment: Any, image: Any, seed: int) -> np.ndarray:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        return np.asarray(augment(image))

    def __repr__(self) -> str:
        """Show the options as timm spells them."""
        return f"{type(self).__name__}({self.spec!r})"
