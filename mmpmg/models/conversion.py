"""Checkpoints from one model to another, as pure functions on state dicts."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

ENCODER = "backbone."


def recognizer_state(pretrained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take the encoder out of a pre-trained model, ready for ``Recognizer3D``.

    The closing ``norm`` of pre-training acts on tokens and has no place in recognition; ``fc_norm``
    acts on their mean and starts fresh (weight 1, bias 0), as in VideoMAE's fine-tuning. With it in
    the file, loading into a mean-pooling backbone leaves nothing missing and nothing over but the
    new classifier.

    Args:
        pretrained: State dict of a ``MaskedVideoPretrainer``.

    Returns:
        State dict under ``backbone.``.

    Raises:
        ValueError: No encoder in the state dict.
    """
    state = {
        key: value
        for key, value in pretrained.items()
        if key.startswith(ENCODER) and not key.startswith(f"{ENCODER}norm.")
    }
    if not state:
        found = ", ".join(sorted({key.split(".")[0] for key in pretrained})) or "nothing"
        raise ValueError(
            f"no key starts with {ENCODER!r} (found: {found}): not a checkpoint of a "
            "MaskedVideoPretrainer"
        )
    width = state[f"{ENCODER}patch_embed.projection.bias"]
    state[f"{ENCODER}fc_norm.weight"] = torch.ones_like(width)
    state[f"{ENCODER}fc_norm.bias"] = torch.zeros_like(width)
    return state
