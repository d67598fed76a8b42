"""Weights of models for images, from a file or from timm, for encoders of clips to start from."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from mmengine.dist import barrier, get_rank
from torch import Tensor

from mmpmg.compat import require
from mmpmg.models.weight_files import read_weights

KEY = "model.backbone.init_cfg.checkpoint"
TIMM = "timm:"


def read_image_weights(source: str, kind: str, example: str, file: str) -> dict[str, Tensor]:
    """Read the weights of an image model; no code of a file is run.

    Args:
        source: A file, or "timm:NAME", which timm downloads.
        kind: What the model is called, such as "Swin Transformer".
        example: Such a model's name at timm.
        file: Such a file's name, for advice.

    Raises:
        FileNotFoundError: No such file.
        ImportError: timm is not installed.
        ValueError: It holds no weights, or timm cannot fetch them.
    """
    if source.startswith(TIMM):
        name = source.removeprefix(TIMM)
        timm = require("timm")
        _check_name(timm, name, example)
        try:
            return _first_process_first(
                lambda: dict(timm.create_model(name, pretrained=True).state_dict())
            )
        except ImportError:
            raise
        except Exception as error:  # of the network, whichever library it is that meets it
            raise ValueError(
                f"timm cannot fetch {name} ({type(error).__name__}: {error}); where it can, type: "
                f"python -c \"import timm, torch; torch.save(timm.create_model('{name}', "
                f"pretrained=True).state_dict(), '{file}')\", and give {KEY}={file}"
            ) from error
    if "://" not in source and not Path(source).is_file():
        raise FileNotFoundError(
            f"no file at {source}, which {KEY} names: weights of a {kind} for images; "
            f"{KEY}={TIMM}{example} lets timm download them, and model.backbone.init_cfg=None "
            "starts from random weights"
        )
    return read_weights(source).state


def _check_name(timm: ModuleType, name: str, example: str) -> None:
    """Tell a name that timm does not have from a network that does not answer."""
    if ":" in name:  # hf-hub:..., local-dir:...
        return
    known, family = timm.list_pretrained(), example.split("_")[0]
    if name not in known and ("." in name or not timm.is_model(name)):
        near = difflib.get_close_matches(name, [n for n in known if family in n], 3, 0.3)
        raise ValueError(
            f"timm has no weights called {name}, which {KEY}={TIMM}{name} asks for; it has "
            f"{', '.join(near)} ..."
        )


def _first_process_first(fetch: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Let one process of each machine download, and the others find what it has kept."""
    first = int(os.environ.get("LOCAL_RANK", get_rank())) == 0
    if not first:
        barrier()
    try:
        return fetch()
    finally:
        if first:
            barrier()
