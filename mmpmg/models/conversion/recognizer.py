"""An encoder out of a pre-training, for recognition."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

ENCODER = "backbone."
MASK_TOKEN = f"{ENCODER}mask_token"
_STAGE = re.compile(r"backbone\.layers\.(\d+)\.")
_STAGE_NORM = re.compile(r"backbone\.norm\d+\.")


def recognizer_state(pretrained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take the encoder out of a pre-trained model, ready for ``Recognizer3D``.

    The closing ``norm`` of a ViT's pre-training acts on tokens and has no place in recognition;
    ``fc_norm`` acts on their mean and starts fresh (weight 1, bias 0), as in VideoMAE's
    fine-tuning. Of a Swin, the norm of the last stage's map stays, as recognition looks at it too;
    the mask token and the norms of earlier stages go. With the file, loading into a mean-pooling
    ViT, or a Swin with one map, leaves nothing missing and nothing over but the new classifier.

    Args:
        pretrained: State dict of a ``MaskedVideoPretrainer`` or ``MaskTokenPretrainer``.

    Returns:
        State dict under ``backbone.``.

    Raises:
        ValueError: No encoder in the state dict.
    """
    encoder = {key: value for key, value in pretrained.items() if key.startswith(ENCODER)}
    stages = [int(m[1]) for key in encoder if (m := _STAGE.match(key))]
    if stages:
        kept = f"{ENCODER}norm{max(stages)}."
        return {
            key: value
            for key, value in encoder.items()
            if key != MASK_TOKEN and (key.startswith(kept) or not _STAGE_NORM.match(key))
        }
    state = {key: v for key, v in encoder.items() if not key.startswith(f"{ENCODER}norm.")}
    if not state:
        found = ", ".join(sorted({key.split(".")[0] for key in pretrained})) or "nothing"
        raise ValueError(
            f"no key starts with {ENCODER!r} (found: {found}): not a checkpoint of a "
            "MaskedVideoPretrainer or MaskTokenPretrainer"
        )
    width = state[f"{ENCODER}patch_embed.projection.bias"]
    state[f"{ENCODER}fc_norm.weight"] = torch.ones_like(width)
    state[f"{ENCODER}fc_norm.bias"] = torch.zeros_like(width)
    return state
