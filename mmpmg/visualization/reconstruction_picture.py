"""Reconstructions of one or several models on the same clips, with heat maps of their loss.

What PMG's supplement shows in Figs. 3 and 4: frames, masked input, prediction, and the loss of each
patch, normalised in every frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from mmpmg.models.tokens import token_grid

from .contact_sheet import spread_frames, tile
from .labels import Picture
from .masks import hide_masked, pixel_mask
from .reconstruction import PLAIN, STATISTICS, FloatArray, Reconstruction

FADING = 0.8
MUTED = 128  # grey, which the colour map does not have


def _pixel_losses(item: Reconstruction) -> FloatArray:
    """Spread the losses of masked tokens over their pixels: (T, H, W), NaN where visible."""
    if item.token_loss is None:
        raise ValueError(
            f"the reconstruction of {item.name or 'a clip'} has no token_loss to draw; "
            "model_pictures.reconstruct_samples fills it in"
        )
    size = (item.clip.shape[0], item.clip.shape[1], item.clip.shape[2])
    losses = np.full(len(item.mask), np.nan, dtype=np.float32)
    losses[item.mask] = item.token_loss
    spread = losses.reshape(token_grid(size, item.token_shape))
    for axis, step in enumerate(item.token_shape):
        spread = spread.repeat(step, axis=axis)
    return spread


def loss_maps(items: Sequence[Reconstruction]) -> list[Picture]:
    """Paint the loss of each masked token; visible tokens show their frame, greyed.

    Every frame is normalised: the brightest is the greatest loss in it, of all models given, so
    that models can be compared within a frame, but not one frame with another. Black is no loss.

    Args:
        items: The same clip (T, H, W, 3) by one or several models, each with ``token_loss``.

    Returns:
        For each item (T, H, W, 3) uint8.

    Raises:
        ValueError: An item without ``token_loss``.
    """
    losses = [_pixel_losses(item) for item in items]
    greatest = np.stack([np.nan_to_num(each).max(axis=(1, 2)) for each in losses]).max(axis=0)
    greatest[greatest <= 0] = 1
    maps = []
    for item, each in zip(items, losses, strict=True):
        level = np.nan_to_num(each / greatest[:, None, None] * 255).round().astype(np.uint8)
        heat = np.stack([cv2.applyColorMap(k, cv2.COLORMAP_INFERNO)[..., ::-1] for k in level])
        faded = (1 - FADING) * item.clip + FADING * MUTED
        shown = np.isnan(each)[..., None]
        maps.append(np.where(shown, faded.round().astype(np.uint8), heat.astype(np.uint8)))
    return maps


def reconstruction_picture(
    models: Mapping[str, Sequence[Reconstruction]],
    statistics: str = "visible",
    columns: int = 8,
    title: str = "",
    cell_height: int = 112,
) -> Picture:
    """Draw each clip, its visible part, and each model's prediction and loss, frame by frame.

    Args:
        models: Name of each model (empty where there is but one) -> its reconstructions, at least
            one, of the same clips in the same order.
        statistics: Where mean and contrast of masked tokens come from: "visible" (from visible
            tokens, nothing leaks) or "truth" (the authors' way). The picture says which.
        columns: Frames shown, at least 1.
        title: First line, above what the picture says of itself.
        cell_height: Height of a frame in the picture, in pixels.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: Nothing to draw, models that were given different clips, or unknown
            ``statistics``.
    """
    clips = _same_clips(models)
    rows: list[list[Picture]] = []
    labels: list[str] = []
    starts = []
    chosen = spread_frames(len(clips[0][0].clip), columns)
    for items in clips:
        starts.append(len(rows))
        drawn = [(items[0].name or "clip", items[0].clip)]
        seen = None
        for name, item, heat in zip(models, items, loss_maps(items), strict=True):
            hidden = pixel_mask(item.mask, item.clip.shape[:3], item.token_shape)
            if seen is None or not np.array_equal(hidden, seen):
                whose = "" if seen is None else f"\nfor {name}"
                masked = hide_masked(item.clip, item.mask, item.token_shape)
                drawn.append((f"{item.mask.mean():.0%} masked{whose}", masked))
                seen = hidden
            loss = "" if item.loss is None else f"\nmean {item.loss:.4f}"
            if item.flat_loss is not None:
                loss += f"\nflat patches {item.flat_loss:.4f}"
            head = f"{name}\n" if name else ""
            drawn += [
                (f"{head}reconstruction", item.frames(statistics)),
                (f"{head}loss of each patch{loss}", heat),
            ]
        for label, clip in drawn:
            rows.append([clip[k] for k in chosen])
            labels.append(label)
    kinds = {item.normalized: None for item in clips[0]}
    told = [
        title,
        *(f"Masked tokens: {STATISTICS[statistics] if kind else PLAIN}." for kind in kinds),
        "Visible tokens are shown as they are. Loss: black 0, brightest the greatest of the "
        f"frame{' over all models' if len(models) > 1 else ''}; grey where visible.",
    ]
    return tile(
        rows,
        row_labels=labels,
        column_labels=[f"frame {k}" for k in chosen],
        title="\n".join(line for line in told if line),
        cell_height=cell_height,
        spaced=starts,
    )


def _same_clips(
    models: Mapping[str, Sequence[Reconstruction]],
) -> list[tuple[Reconstruction, ...]]:
    """Group by clip: one tuple a clip, with an item for each model."""
    counts = {name: len(items) for name, items in models.items()}
    if not counts or not all(counts.values()):
        raise ValueError(f"reconstruction_picture: no clips to draw of {counts or 'no model'}")
    if len(set(counts.values())) > 1:
        raise ValueError(f"reconstruction_picture: models with unlike numbers of clips: {counts}")
    clips = list(zip(*models.values(), strict=True))
    for items in clips:
        for name, item in zip(models, items, strict=True):
            if not np.array_equal(item.clip, items[0].clip):
                raise ValueError(
                    f"reconstruction_picture: {name or 'a model'} was given another clip than "
                    f"{next(iter(models))}, {item.clip.shape} and {items[0].clip.shape}"
                )
    return clips
