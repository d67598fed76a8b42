"""Predictions that ``tools/test.py --dump`` wrote, read without running code from the file."""

from __future__ import annotations

import codecs
import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mmpmg import typed


class DumpError(ValueError):
    """A dump that cannot be read or compared; the message names the file and what mends it."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said of a test set.

    Attributes:
        path: The file.
        labels: (videos,) the true classes.
        guesses: (videos,) the classes of the highest scores.
        num_classes: Scores of each video.
    """

    path: Path
    labels: npt.NDArray[np.int64]
    guesses: npt.NDArray[np.int64]
    num_classes: int


def _how_to_dump() -> str:
    return f"{typed.tool('test.py')} RECIPE CHECKPOINT --dump FILE.pkl writes one"


def _storage(data: bytes) -> Any:
    """Stand in for torch's own, which reads the inner file with all that pickle allows."""
    return torch.load(io.BytesIO(data), weights_only=True)


class _Reader(pickle.Unpickler):
    """Builds tensors in plain containers, as ``DumpResults`` writes them, and nothing else."""

    ALLOWED = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch.storage", "_load_from_bytes"): _storage,
        ("_codecs", "encode"): codecs.encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for, if it is on the list.

        Raises:
            pickle.UnpicklingError: It is not.
        """
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"refused: it asks for {module}.{name}")
        return self.ALLOWED[module, name]


def read_dump(path: str | Path) -> Predictions:
    """Read the predictions of a recognizer.

    Args:
        path: What MMEngine's ``DumpResults`` wrote in a test of a ``Recognizer3D``.

    Returns:
        Labels and guesses, in the file's order, which is the test set's.

    Raises:
        FileNotFoundError: No such file.
        DumpError: Not such a file, no video in it, or videos without scores or with several labels.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no predictions at {path}; {_how_to_dump()}")
    try:
        with path.open("rb") as file:
            samples = _Reader(file).load()
    except Exception as error:
        raise DumpError(
            f"{path} is no dump of predictions ({type(error).__name__}: {error}); {_how_to_dump()}"
        ) from error
    if not isinstance(samples, list) or not samples:
        raise DumpError(f"{path} holds no videos; {_how_to_dump()}")
    try:
        scores = torch.stack([torch.as_tensor(sample["pred_score"]) for sample in samples])
        labels = torch.stack([torch.as_tensor(sample["gt_label"]).flatten() for sample in samples])
    except (KeyError, TypeError, RuntimeError) as error:
        raise DumpError(
            f"{path} does not hold pred_score and one gt_label for every video "
            f"({type(error).__name__}: {error}); {_how_to_dump()}"
        ) from error
    if scores.ndim != 2 or labels.shape[1] != 1:
        raise DumpError(
            f"{path} holds scores of shape {tuple(scores.shape)} and labels of shape "
            f"{tuple(labels.shape)}; (videos, classes) and (videos, 1) are wanted: test a "
            "recognizer with one label a video"
        )
    return Predictions(
        path,
        labels[:, 0].numpy().astype(np.int64),
        scores.argmax(dim=1).numpy().astype(np.int64),
        int(scores.shape[1]),
    )
