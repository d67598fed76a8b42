"""How a video encoder describes one frame of a sequence, cell by cell."""

from __future__ import annotations

from typing import Any

import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.attention import fuse_blocks
from mmpmg.models.block_stack import run_blocks
from mmpmg.motion.ranges import choice, flag, whole

OWNER = "LabelPropagationSegmenter"
FRAME_CONTEXTS = ("tubelet", "repeat", "window")


class FrameEncoder:
    """Features of single frames from a video transformer that was built for clips.

    MotionMAE (Sec. 5.2) says that its encoder is frozen and not how a frame becomes a clip, which
    layer is read, or whether tokens are normalised. The choices here:

    - **How a frame becomes a clip.** "tubelet": it fills the frames of one token and is encoded
      alone, at the positions of time slot ``slot``. "repeat": it fills the whole clip. "window":
      the frames around it do, so features know of motion, and of the future. The default is
      "tubelet": features depend on their frame alone, as in Jabri et al., nothing is computed
      twice, and at 480p the encoder meets as many tokens as in pre-training (1590 of 1568), where
      a clip has eight times as many.
    - **Positions** are resized in space, as MMAction2 does for other frame sizes.
    - **No closing norm.** Files differ in it: a pre-training's acts on tokens, a recognizer's on
      their mean, and encoder.pth has neither. Whatever the file, tokens are standardised without
      weights (``standardise``), which is what a fresh closing norm does.

    Attention is fused in MMAction2's ``VisionTransformer`` too: its own would store the whole
    matrix of weights.

    Args:
        backbone: ``MaskedVisionTransformer`` or MMAction2's ``VisionTransformer``; its closing
            norms are taken out. Held, not owned: the segmenter moves it between devices.
        frame_context: "tubelet", "repeat" or "window".
        slot: Time slot of the frame, whose tokens are its features; None: the middle one.
        layer: Block whose output is read, counted from 0, or from the end if negative.
        standardise: Mean 0 and variance 1 for each token before its length becomes 1.

    Raises:
        ValueError: An option is out of its range, or the backbone is something else.
    """

    def __init__(
        self,
        backbone: nn.Module,
        frame_context: str = "tubelet",
        slot: int | None = None,
        layer: int = -1,
        standardise: bool = True,
    ) -> None:
        if not isinstance(backbone, VisionTransformer):
            raise ValueError(
                f"{OWNER}: model.backbone {type(backbone).__name__} gives no tokens of a frame; "
                "take MaskedVisionTransformer or MMAction2's VisionTransformer"
            )
        self.backbone: Any = backbone
        fuse_blocks(backbone.blocks)
        backbone.norm, backbone.fc_norm = nn.Identity(), None
        depth = len(backbone.blocks)
        self.layer = whole(OWNER, "model.layer", layer, -depth, depth - 1) % depth
        self.token_shape = tuple(self.backbone.patch_embed.projection.stride)
        self.slots = backbone.pos_embed.shape[1] // (backbone.grid_size[0] * backbone.grid_size[1])
        self.slot = self.slots // 2
        if slot is not None:
            self.slot = whole(OWNER, "model.slot", slot, 0, self.slots - 1)
        self.frame_context = choice(OWNER, "model.frame_context", frame_context, FRAME_CONTEXTS)
        self.standardise = flag(OWNER, "model.standardise", standardise)

    def frame_numbers(self, frame: int, num_frames: int) -> list[int]:
        """Say which frames of a sequence make the clip that describes one of them.

        Args:
            frame: Number of the frame described.
            num_frames: Length of the sequence; beyond its ends stand its first and last frame.

        Returns:
            Numbers of the clip's frames.
        """
        tubelet = self.token_shape[0]
        if self.frame_context == "tubelet":
            return [frame] * tubelet
        length = self.slots * tubelet
        if self.frame_context == "repeat":
            return [frame] * length
        first = frame - self.slot * tubelet  # the frame opens its slot
        return [min(max(first + step, 0), num_frames - 1) for step in range(length)]

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (h, w) cells of a frame of (H, W) pixels: the nearest whole number of each."""
        _, dh, dw = self.token_shape
        return max(1, round(size[0] / dh)), max(1, round(size[1] / dw))

    def fit(self, frames: Tensor) -> Tensor:
        """Resize frames (n, C, H, W) to whole cells, with antialiasing where they shrink.

        Padding would show the encoder a border that it has never seen.
        """
        grid = self.grid((frames.shape[2], frames.shape[3]))
        size = (grid[0] * self.token_shape[1], grid[1] * self.token_shape[2])
        if size == frames.shape[2:]:
            return frames
        return F.interpolate(frames, size=size, mode="bilinear", antialias=True)

    def __call__(self, clips: Tensor) -> Tensor:
        """Describe the frame of each clip.

        Args:
            clips: (B, C, T, H, W), normalised, of whole cells, made of `frame_numbers`.

        Returns:
            (B, h * w, width) float32, each of length 1.
        """
        _, dh, dw = self.token_shape
        grid = (clips.shape[3] // dh, clips.shape[4] // dw)
        x = self.backbone.patch_embed(clips)[0]
        x = run_blocks(self.backbone.blocks[: self.layer + 1], x + self._positions(grid), False)
        slot = 0 if self.frame_context == "tubelet" else self.slot
        # [B, t*h*w, C] -> [B, h*w, C] of one slot
        x = x.unflatten(1, (-1, grid[0] * grid[1]))[:, slot].float()
        if self.standardise:
            x = F.layer_norm(x, x.shape[-1:])
        return F.normalize(x, dim=-1)

    def _positions(self, grid: tuple[int, int]) -> Tensor:
        """Positions (1, t * h * w, C) of the slots that a clip has, on its grid."""
        vit = self.backbone
        # [1, N, C] -> [t, h, w, C]
        table = vit.pos_embed.unflatten(1, (self.slots, *vit.grid_size))[0]
        if self.frame_context == "tubelet":
            table = table[self.slot : self.slot + 1]
        if grid != tuple(vit.grid_size):
            table = table.permute(0, 3, 1, 2)
            table = F.interpolate(table, size=grid, mode="bicubic", align_corners=False)
            table = table.permute(0, 2, 3, 1)
        return table.reshape(1, -1, table.shape[-1])


def make_clips(frames: Tensor, numbers: list[list[int]], wanted: list[int]) -> Tensor:
    """Lay frames out as clips.

    Args:
        frames: (n, C, H, W), those numbered ``wanted``.
        numbers: B lists of the T frames of each clip.
        wanted: What each of ``frames`` is called.

    Returns:
        (B, C, T, H, W).
    """
    place = {number: index for index, number in enumerate(wanted)}
    index = torch.tensor([[place[n] for n in clip] for clip in numbers], device=frames.device)
    return frames[index].transpose(1, 2)
