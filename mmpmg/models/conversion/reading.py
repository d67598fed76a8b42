"""From any format into our spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmpmg.models.conversion.layouts import QKV
from mmpmg.models.conversion.naming import Naming

_HEAD = re.compile(r"heads\.([^.]+)\.")
_NECK = re.compile(r"necks\.([^.]+)\.")
_THREE = re.compile(r"query\.weight$")
# What changes the outputs and that a converted model could not compute.
_BARRED = (
    (
        re.compile(r"\.gamma_[12]$"),
        "it scales its layers (init_values > 0), which this ViT does not",
    ),
    (re.compile(r"attn\.scale$"), "its attention compares angles (cos_attn), ours products"),
    (re.compile(r"(qkv|key)\.bias$"), "its keys have a bias, which VideoMAE's do not"),
    (re.compile(r"cls_token$"), "it has a class token, which VideoMAE has not"),
)


@dataclass
class Weights:
    """Weights in our spelling, and where each came from."""

    values: dict[str, Tensor]
    sources: dict[str, str]
    """Our key -> the key, or keys, in the source."""
    left: dict[str, Tensor] = field(default_factory=dict)
    """What has no place in our spelling, under the source's keys."""


def branches_of(state: Mapping[str, Tensor], branch: str | None, whole: bool) -> tuple[str, str]:
    """Choose the branch of a pretrainer that is converted.

    Args:
        state: Of a pretrainer.
        branch: Its name; None where there is only one.
        whole: All branches stay, or no decoder is asked for, so that none has to be chosen.

    Returns:
        The branch whose decoder it reads (its own, or the only one), and the branch.

    Raises:
        ValueError: There are several and none is named, none of this name, or its decoder is that
            of one of several others.
    """
    heads = sorted({m[1] for key in state if (m := _HEAD.match(key))})
    necks = sorted({m[1] for key in state if (m := _NECK.match(key))})
    heads = heads or necks or ["pixel"]
    if branch is not None and branch not in heads:
        raise ValueError(f"--branch {branch}: the branches are {', '.join(heads)}")
    if branch is None and len(heads) > 1 and not whole:
        raise ValueError(
            f"a pretrainer with {len(heads)} branches ({', '.join(heads)}), and the other side has "
            f"one: name it with --branch, for example --branch {heads[-1]}; the others stay behind "
            "and are listed"
        )
    head = branch or heads[0]
    if head not in necks and len(necks) > 1 and not whole:
        raise ValueError(
            f"branch {head} has the decoder of another ({' or '.join(necks)}), and weights do not "
            "tell whose: convert one with its own, or the encoder alone, --to encoder"
        )
    return (head if head in necks or not necks else necks[0]), head


def read(state: Mapping[str, Tensor], naming: Naming) -> Weights:
    """Translate a state dict into our spelling.

    Args:
        state: Without wrappers.
        naming: Of its format.

    Raises:
        ValueError: Something in it changes what the model computes and cannot be carried over, or
            one weight is there twice or in part.
    """
    weights = Weights({}, {})
    thirds: dict[str, dict[int, str]] = {}
    for key, value in state.items():
        place = naming.ours(key)
        if place is None:
            weights.left[key] = value
        elif place.third is not None:
            thirds.setdefault(place.key, {})[place.third] = key
        elif place.key in weights.values:
            raise ValueError(f"{weights.sources[place.key]} and {key} are the same weight twice")
        else:
            weights.values[place.key] = value
            weights.sources[place.key] = key
    for ours, keys in thirds.items():
        if len(keys) < len(QKV):
            lacking = ", ".join(part for third, part in enumerate(QKV) if third not in keys)
            raise ValueError(
                f"the attention of {keys[min(keys)]} lacks its {lacking}: the file is incomplete"
            )
        parts = [state[keys[third]] for third in range(len(QKV))]
        weights.values[ours] = torch.cat(parts)
        weights.sources[ours] = _THREE.sub("{query,key,value}.weight", keys[0])
    for key in weights.left:
        for pattern, reason in _BARRED:
            if pattern.search(key):
                raise ValueError(f"a ViT of another make ({key}): {reason}")
    return weights
