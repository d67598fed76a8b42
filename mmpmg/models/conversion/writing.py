"""From our spelling into any format, with a row for every key."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from mmpmg.models.conversion.fixed_positions import distance_from_fixed, is_fixed, sinusoid
from mmpmg.models.conversion.layouts import DECODER_POSITIONS, OURS, POSITIONS, RECOGNITION
from mmpmg.models.conversion.naming import Naming
from mmpmg.models.conversion.positions import resize_positions
from mmpmg.models.conversion.reading import Weights
from mmpmg.models.conversion.report import LOADED, MISSING, RESIZED, UNEXPECTED, Row
from mmpmg.models.conversion.shapes import expected_shapes
from mmpmg.models.conversion.sizes import ModelSizes
from mmpmg.models.tokens import Grid

FC_NORM = "backbone.fc_norm."
STATISTICS = "cls_head.feature_"
_IN_BLOCK = re.compile(r"(blocks|layer|decoder_layers)\.\d+\.")


class Writer:
    """Writes weights into a format.

    Args:
        weights: In our spelling.
        source: Format that they came from.
        to: Format to write.
        naming: Of ``to``.
        sizes: Of the model that is written.
    """

    def __init__(
        self, weights: Weights, source: str, to: str, naming: Naming, sizes: ModelSizes
    ) -> None:
        self.weights = weights
        self.whole = source == to
        self.to = to
        self.naming = naming
        self.sizes = sizes
        self.expected = expected_shapes(sizes)
        self.out: dict[str, Tensor] = {}
        self.rows: list[Row] = []

    def carry(self) -> None:
        """Write every weight that has a place, and list the others."""
        for key, value in self.weights.values.items():
            if key in (POSITIONS, DECODER_POSITIONS):
                continue
            source = self.weights.sources[key]
            names = self.naming.theirs(key)
            if names and (self.whole or key in self.expected):
                parts = value.chunk(len(names)) if len(names) > 1 else (value,)
                self.out.update(zip(names, parts, strict=True))
                self.rows.append(Row(LOADED, source, _joined(names)))
            else:
                self.rows.append(Row(UNEXPECTED, source, "", self._why_left(key)))

    def place_positions(self, old_grid: Grid) -> None:
        """Carry, resize, make or drop the position tables.

        Args:
            old_grid: (t, h, w) tokens of the clips that the source is for.

        Raises:
            ValueError: They were learnt, and the target computes fixed ones.
        """
        table, grid = self.weights.values.get(POSITIONS), self.sizes.grid
        source = self.weights.sources.get(POSITIONS, "")
        text = " x ".join(map(str, grid))
        if self.to in OURS and table is None:
            self.out[POSITIONS] = sinusoid(grid[0] * grid[1] * grid[2], self.sizes.width)
            self.rows.append(
                Row(MISSING, "", POSITIONS, f"fixed positions, computed for {text} tokens")
            )
        elif table is not None and (self.to in OURS or not is_fixed(table)):
            names = self.naming.theirs(POSITIONS)
            if self.to not in OURS and self.to != "videomae-finetuned":
                raise ValueError(
                    f"{source} was learnt (it differs from the fixed table by up to "
                    f"{distance_from_fixed(table):.2g}), and {self.to} computes the fixed one: its "
                    "outputs would be others. Official fine-tuning takes a learnt table "
                    "(--to videomae-finetuned)"
                )
            if grid == old_grid:
                self.rows.append(Row(LOADED, source, names[0]))
            else:
                how = "fixed, computed anew" if is_fixed(table) else "learnt, interpolated"
                reason = f"{how}: {' x '.join(map(str, old_grid))} to {text} tokens"
                self.rows.append(Row(RESIZED, source, names[0], reason))
                table = resize_positions(table, old_grid, grid)
            self.out[names[0]] = table
        elif table is not None:
            self._drop_fixed(table, source)
        decoder = self.weights.values.get(DECODER_POSITIONS)
        if decoder is not None:
            if not is_fixed(decoder):
                raise ValueError("the decoder's positions were learnt; ours are fixed")
            self._drop_fixed(decoder, self.weights.sources[DECODER_POSITIONS])

    def leave(self) -> None:
        """List what never had a place in our spelling; between equal formats it comes along.

        Raises:
            ValueError: The target would compute something else without it.
        """
        for key, value in self.weights.left.items():
            if self.whole:
                self.out[key] = value
                self.rows.append(Row(LOADED, key, key))
                continue
            if key.startswith(STATISTICS) and self.to in RECOGNITION:
                raise ValueError(
                    f"a LinearProbeHead standardises features before it classifies ({key}), for "
                    f"which {self.to} has no place: convert its encoder, --to encoder or hf-model"
                )
            branch = key.startswith(("necks.", "heads."))
            if _IN_BLOCK.search(key) and not branch:
                raise ValueError(
                    f"a ViT of another make: nothing here has a place for {key} "
                    f"{tuple(value.shape)} inside a block"
                )
            reason = "of another branch" if branch else f"{self.to} has no such weight"
            self.rows.append(Row(UNEXPECTED, key, "", reason))

    def start_fresh(self) -> None:
        """List what the target has beyond the source.

        An ``fc_norm`` is written as it starts, and biases of q and v, where a whole encoder or
        decoder has none, as zeros.

        Raises:
            ValueError: The other side's model would be incomplete.
        """
        width = self.weights.values["backbone.patch_embed.projection.bias"]
        for key, shape in self.expected.items():
            if key in self.weights.values:
                continue
            name = _joined(self.naming.theirs(key))
            if key.startswith(FC_NORM) and name:
                fill = torch.ones_like if key.endswith("weight") else torch.zeros_like
                self.out[name] = fill(width)
                self.rows.append(Row(MISSING, "", name, "starts fresh: weight 1, bias 0"))
            elif key.endswith((".q_bias", ".v_bias")) and name:
                self.out[name] = width.new_zeros(shape)
                self.rows.append(
                    Row(MISSING, "", name, "zeros: the source has none, which computes the same")
                )
            elif name and self.to in OURS:
                self.rows.append(Row(MISSING, "", name, "starts fresh in the model"))
            elif name:
                raise ValueError(f"the source lacks {key}, without which {self.to} is incomplete")
        if self.to == "pretrainer" and self.sizes.decoder_width is None:
            self.rows.append(Row(MISSING, "", "necks.*, heads.*", "the decoder starts fresh"))
        if self.to in RECOGNITION and self.sizes.num_classes is None:
            for end in ("weight", "bias"):
                name = _joined(self.naming.theirs(f"cls_head.fc_cls.{end}"))
                self.rows.append(Row(MISSING, "", name, "starts fresh, with your classes"))

    def _drop_fixed(self, table: Tensor, source: str) -> None:
        reason = f"fixed positions, which {self.to} computes"
        far = distance_from_fixed(table)
        exactly = " exactly so" if far == 0 else f"; they differ by {far:.1e}"
        self.rows.append(Row(UNEXPECTED, source, "", f"{reason}{exactly}"))

    def _why_left(self, key: str) -> str:
        if key.startswith(FC_NORM):
            return f"acts on the mean of the tokens, and {self.to} gives the tokens"
        if key.startswith("backbone.norm."):
            return "closes pre-training; recognition closes with fc_norm, which starts fresh"
        if key.startswith("cls_head."):
            return f"a classifier, which {self.to} has not"
        if key.startswith(("neck.", "head.")):
            return f"of the decoder, which {self.to} has not"
        return f"{self.to} has no such weight"


def _joined(names: tuple[str, ...]) -> str:
    """Write three keys of one weight as one."""
    if len(names) < 2:
        return "".join(names)
    return names[0].replace("query", "{query,key,value}")
