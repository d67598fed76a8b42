"""A masker of your own: whole blocks of tokens disappear, the same ones in every time slot."""

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mmpmg.models.maskers import UniformMasker
from mmpmg.models.tokens import Grid


@MODELS.register_module()
class BlockTubeMasker(UniformMasker):
    """Tubes whose cross-section is a block of tokens, as neighbours say much of each other.

    The base class draws units from each sample's own seed, equally many in every sample; here a
    unit is a block.

    Args:
        mask_ratio: Share of the blocks to mask, in (0, 1).
        block: Side of a block in tokens, at least 1; it divides the grid's height and width.
    """

    def __init__(self, mask_ratio: float = 0.75, block: int = 2) -> None:
        super().__init__(mask_ratio)
        self.block = block

    def units(self, grid: Grid) -> int:
        """Blocks in one time slot."""
        _, height, width = grid
        if self.block < 1 or height % self.block or width % self.block:
            raise ValueError(
                f"block {self.block} does not divide {height} x {width} tokens; mend "
                "model.masker.block"
            )
        return (height // self.block) * (width // self.block)

    def spread(self, units: Tensor, grid: Grid) -> Tensor:
        """[B, blocks] -> [B, t*h*w]: each choice counts for its block, in every slot."""
        slots, height, width = grid
        blocks = units.unflatten(1, (height // self.block, width // self.block))
        places = torch.repeat_interleave(blocks, self.block, dim=1)
        places = torch.repeat_interleave(places, self.block, dim=2)
        return places.flatten(1).repeat(1, slots)
