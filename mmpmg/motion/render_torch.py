"""Render a whole batch of motions on its device with torch: the renderer behind deferred clips.

The same semantics as `mmpmg.motion.render` (OpenCV), within two grey levels: frames are rounded to
8 bits wherever that renderer rounds, so recursion adds up the same blur on both sides. Which
samples move, change colour or carry a paste is known on the host, so nothing is copied back and the
device never waits.

Frames are warped and coloured in portions of `PORTION` pixels, so that a composed clip takes a few
large kernels and memory does not grow with T. For a batch of 32 clips of 16 x 224 x 224 in a GPU's
portions, torch's allocator holds at its peak, the clips (2.4 MB each) included: 11 MB a clip for
zoom and affine, 18 for smooth displacements, 24 for layers; 127, 146 and 1169 kernels a batch.
`tests/motion/test_render_cost.py` counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .color_torch import ColorChanges
from .layers_torch import lay_parts
from .motion import FloatArray, Motion
from .transfer_torch import to_device
from .warp_torch import Warp, moves

#: Output pixels made at a time, at least one frame of each clip: on a GPU for few, large kernels,
#: on a CPU for arrays that its caches hold. Every pixel takes 30 to 70 bytes while it is made.
PORTION = {"cuda": 2**23, "cpu": 2**16}


@torch.no_grad()
def render_batch(
    images: Tensor, motions: Sequence[Motion], partners: Tensor | None = None
) -> Tensor:
    """Make the clips of a batch.

    Args:
        images: (B, 3, H, W) uint8, the sources; H and W as the motions were sampled for.
        motions: B of them, of one length and size; families, modes and borders may differ.
        partners: (B, P, 3, H, W) uint8, the other images of each in the order of
            `Motion.num_images`, P at least as many as any motion needs; what is beyond is ignored.

    Returns:
        (B, 3, T, H, W) uint8 on the device of the images.

    Raises:
        ValueError: If motions and images do not fit together.
    """
    _check(images, motions, partners)
    clips = images.unsqueeze(2).repeat(1, 1, motions[0].num_frames, 1, 1)
    groups: dict[tuple[str, bool, bool], list[int]] = {}
    for b, motion in enumerate(motions):
        if moves(motion) or motion.color_ops:
            deformed = motion.deformation is not None
            groups.setdefault((motion.resampling, moves(motion), deformed), []).append(b)
    with torch.autocast(images.device.type, enabled=False):
        for members in groups.values():
            _render_group(clips, images, motions, members)
        if partners is not None:
            lay_parts(clips, motions, partners, _portions(clips))
            _stick(clips, motions, partners)
    return clips


def _check(images: Tensor, motions: Sequence[Motion], partners: Tensor | None) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"render_batch: images must be (B, 3, H, W) uint8, got {images.dtype} "
            f"{tuple(images.shape)}"
        )
    if len(motions) != len(images) or not len(motions):
        raise ValueError(f"render_batch: {len(motions)} motions for {len(images)} images")
    size = tuple(images.shape[2:])
    wrong = [m for m in motions if m.size != size or m.num_frames != motions[0].num_frames]
    if wrong:
        raise ValueError(
            f"render_batch: {wrong[0].family} was sampled for {wrong[0].num_frames} frames of "
            f"{wrong[0].size}, the batch has {motions[0].num_frames} frames of {size}"
        )
    neediest = max(motions, key=lambda motion: motion.num_images)
    needed = neediest.num_images - 1
    if needed and partners is None:
        raise ValueError(
            f"render_batch: {neediest.family} needs {needed} more image{'s' * (needed > 1)} beside "
            f"the source; pass partners (B, {needed}, 3, H, W)"
        )
    if partners is None:
        return
    got, (count, *image) = tuple(partners.shape), images.shape
    alike = partners.dtype == torch.uint8 and got == (count, *got[1:2], *image)
    if not alike or got[1] < needed:
        raise ValueError(
            f"render_batch: partners are {partners.dtype} {got}, not uint8 "
            f"{(count, 'P >= ' + str(needed), *image)}"
        )


def _portions(clips: Tensor) -> list[slice]:
    """Part the T frames of (n, 3, T, H, W) so that each portion has few enough pixels."""
    num_frames = clips.shape[2]
    frame = clips[:, 0, 0].numel()
    length = max(1, PORTION.get(clips.device.type, PORTION["cuda"]) // frame)
    starts = range(0, num_frames, length)
    return [slice(start, min(start + length, num_frames)) for start in starts]


def _render_group(
    clips: Tensor, images: Tensor, motions: Sequence[Motion], members: list[int]
) -> None:
    """Warp and colour samples of one resampling mode, which all move or all stay, in ``clips``."""
    device = clips.device
    everybody = len(members) == len(motions)
    group = [motions[b] for b in members]
    recursive = group[0].resampling == "recursive"
    warps: FloatArray = np.stack([m.warp_steps() if recursive else m.homographies for m in group])
    warp = Warp(group, warps, device) if moves(group[0]) else None
    amounts = [m.color_steps() if recursive else m.color for m in group]
    colors = ColorChanges([m.color_ops for m in group], amounts, device)
    rows = to_device(members, device, torch.int64)
    source = (images if everybody else images.index_select(0, rows)).float()
    made = clips if everybody else clips.new_empty((len(group), *clips.shape[1:]))
    for portion in _portions(made):
        points = None if warp is None else warp.points(portion)
        # Recursive frames come one by one, each from the one before.
        length = 1 if recursive else portion.stop - portion.start
        for start in range(portion.start, portion.stop, length):
            frames = slice(start, start + length)
            if warp is None or points is None:
                shown = source.unsqueeze(2).expand(-1, -1, length, -1, -1)
            else:
                shown = warp(source, points[:, start - portion.start :][:, :length])
            shown = colors(shown, frames)
            made[:, :, frames].copy_(shown)
            if recursive:
                source = shown[:, :, 0]
    if not everybody:
        clips.index_copy_(0, rows, made)


def _stick(clips: Tensor, motions: Sequence[Motion], partners: Tensor) -> None:
    """Copy the pasted rectangles of the first partners onto the clips, in place."""
    height, width = clips.shape[-2:]
    for clip, motion, others in zip(clips, motions, partners, strict=True):
        if motion.paste is None:
            continue
        (x, y, w, h), partner = motion.paste.source, others[0]
        for k, (left, top) in enumerate(motion.paste.positions.tolist()):
            x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
            if x0 < x1 and y0 < y1:
                dx, dy = x - left, y - top
                seen = partner[:, y0 + dy : y1 + dy, x0 + dx : x1 + dx]
                clip[:, k, y0:y1, x0:x1].copy_(seen)
