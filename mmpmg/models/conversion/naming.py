"""Translates the keys of a state dict between a format and our spelling."""

from __future__ import annotations

import re
from typing import NamedTuple

from mmpmg.models.conversion.layouts import (
    HF_BLOCK,
    HF_MODEL_BIASES,
    HUGGING_FACE,
    OFFICIAL,
    OFFICIAL_BLOCK,
    OUR_BLOCK,
    PARTS,
    QKV,
)

_BLOCK = re.compile(r"(backbone|neck)\.blocks\.(\d+)\.(.+)")


class Place(NamedTuple):
    """Where a key of a file belongs in our spelling."""

    key: str
    """The weight."""
    third: int | None = None
    """Of q, k and v in one, which of the three; None for a whole weight."""


class Naming:
    """Translate keys between a format and our spelling.

    Args:
        name: One of `FORMATS`.
        neck: Of a pretrainer, the branch whose decoder is meant.
        head: Of a pretrainer, the branch whose head is meant.
    """

    def __init__(self, name: str, neck: str = "pixel", head: str = "pixel") -> None:
        self.name = name
        self.parts = {
            ours: theirs.format(neck=neck, head=head) for ours, theirs in PARTS[name].items()
        }
        self.split = name in HUGGING_FACE
        self.block = HF_BLOCK if self.split else OFFICIAL_BLOCK if name in OFFICIAL else OUR_BLOCK
        self._back = {theirs: ours for ours, theirs in self.block.items()}
        if self.split:
            self._back.update(HF_MODEL_BIASES)

    def theirs(self, key: str) -> tuple[str, ...]:
        """Spell a weight of ours: one key, three for q, k and v apart, none without a place."""
        for ours, theirs in self.parts.items():
            if not key.startswith(ours):
                continue
            inside = _BLOCK.fullmatch(key)
            if inside is None:
                return (theirs + key[len(ours) :],)
            block = theirs if ours.endswith("blocks.") else f"{theirs}blocks."
            block = f"{block}{inside[2]}."
            if self.split and inside[3] == "attn.qkv.weight":
                return tuple(f"{block}attention.attention.{part}.weight" for part in QKV)
            name = self.block.get(inside[3])
            return () if name is None else (f"{block}{name}",)
        return ()

    def ours(self, key: str) -> Place | None:
        """Find the place of a key of theirs, None where there is none."""
        for ours, theirs in self.parts.items():
            if not key.startswith(theirs) or (theirs[-1] != "." and key != theirs):
                continue
            rest = key[len(theirs) :]
            if ours in ("neck.", "head."):
                return self._ours_in_block(ours, rest, "blocks.") or Place(f"{ours}{rest}")
            if ours.endswith("blocks."):
                return self._ours_in_block(ours, rest)
            return Place(f"{ours}{rest}")
        return None

    def _ours_in_block(self, ours: str, rest: str, inner: str = "") -> Place | None:
        match = re.fullmatch(rf"{re.escape(inner)}(\d+)\.(.+)", rest)
        if match is None:
            return None
        block, name = f"{ours}{inner}{match[1]}.", match[2]
        for third, part in enumerate(QKV):
            if self.split and name == f"attention.attention.{part}.weight":
                return Place(f"{block}attn.qkv.weight", third)
        return Place(block + self._back[name]) if name in self._back else None
