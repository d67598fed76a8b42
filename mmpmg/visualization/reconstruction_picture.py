"""Reconstructions of one or several models on the same clips, with heat maps of their loss.

What PMG's supplement shows in Figs. 3 and 4: frames, masked input, prediction, and the loss of each
patch, normalised in every frame; and MotionMAE in Fig. 3: true and predicted motion besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import cv2
import numpy as np

from mmpmg.models.tokens import token_grid

from .branch_prediction import BranchPrediction, FloatArray
from .contact_sheet import spread_frames, tile
from .flow import BLIND
from .labels import Picture
from .masks import hide_masked, pixel_mask

Branches: TypeAlias = Mapping[str, BranchPrediction]
"""Of one clip, what each branch of a model predicts."""

FADING = 0.8
MUTED = 128  # grey, which the colour map does not have


def _pixel_losses(item: BranchPrediction) -> FloatArray:
    """Spread the losses of masked tokens over their pixels: (T, H, W), NaN where there is none."""
    if item.token_loss is None:
        raise ValueError(
            f"the reconstruction of {item.name or 'a clip'} has no token_loss to draw; "
            "model_reconstructions.reconstruct_samples fills it in"
        )
    losses = np.full(len(item.mask), np.nan, dtype=np.float32)
    losses[item.mask] = item.token_loss
    spread = losses.reshape(token_grid(item.size, item.token_shape))
    for axis, step in enumerate(item.token_shape):
        spread = spread.repeat(step, axis=axis)
    return spread


def loss_maps(items: Sequence[BranchPrediction]) -> list[Picture]:
    """Paint one branch's loss of each masked token; visible tokens show their frame, greyed.

    Tokens of which nothing is known met no loss: they are of one grey.

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
        picture = np.where(np.isnan(each)[..., None], BLIND, heat)
        visible = ~pixel_mask(item.mask, item.size, item.token_shape)[..., None]
        maps.append(np.where(visible, faded.round(), picture).astype(np.uint8))
    return maps


def reconstruction_picture(
    models: Mapping[str, Sequence[Branches]],
    statistics: str = "visible",
    columns: int = 8,
    title: str = "",
    cell_height: int = 112,
    losses: bool = True,
) -> Picture:
    """Draw each clip, its visible part, and each model's predictions and losses, frame by frame.

    Args:
        models: Name of each model (empty where there is but one) -> what its branches predict of
            each clip, at least one, the same clips in the same order. One model at several masking
            ratios counts as several.
        statistics: Where mean and contrast of masked tokens come from: "visible" (from visible
            tokens, nothing leaks) or "truth" (the authors' way). The picture says which.
        columns: Frames shown, at least 1.
        title: First line, above what the picture says of itself.
        cell_height: Height of a frame in the picture, in pixels.
        losses: Whether the loss of each patch is drawn.

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
    chosen = spread_frames(len(_any(clips[0][0]).clip), columns)
    for items in clips:
        starts.append(len(rows))
        for label, clip in _clip_rows(list(models), items, statistics, losses):
            rows.append([clip[k] for k in chosen])
            labels.append(label)
    notes = dict.fromkeys(
        item.note(statistics) for items in clips for branches in items for item in branches.values()
    )
    of_loss = (
        "Loss, not weighed: black 0, brightest the greatest of the frame"
        f"{' over all models of the same loss' if len(models) > 1 else ''}; faded where visible."
    )
    if any(np.isnan(each).any() for each in _token_losses(clips)):
        of_loss += " Plain grey: nothing to be predicted."
    told = [title, *notes, of_loss if losses else ""]
    return tile(
        rows,
        row_labels=labels,
        column_labels=[f"frame {k}" for k in chosen],
        title="\n".join(line for line in told if line),
        cell_height=cell_height,
        spaced=starts,
    )


def _any(branches: Branches) -> BranchPrediction:
    """Return one of the predictions: clip, mask and name are the same in all."""
    return next(iter(branches.values()))


def _clip_rows(
    names: Sequence[str], items: Sequence[Branches], statistics: str, losses: bool
) -> list[tuple[str, Picture]]:
    """Return label and frames of each row of one clip; what was drawn already is not repeated."""
    drawn = [(_any(items[0]).name or "clip", _any(items[0]).clip)]
    heats = _heats(items) if losses else {}
    seen = None
    truths: list[Picture] = []
    for number, (name, branches) in enumerate(zip(names, items, strict=True)):
        item = _any(branches)
        hidden = pixel_mask(item.mask, item.size, item.token_shape)
        if seen is None or not np.array_equal(hidden, seen):
            whose = "" if seen is None else f"\nfor {name}"
            masked = hide_masked(item.clip, item.mask, item.token_shape)
            drawn.append((f"{item.mask.mean():.0%} masked{whose}", masked))
            seen = hidden
        head = f"{name}\n" if name else ""
        for branch, item in branches.items():
            *true, (label, predicted) = item.rows(statistics)
            for what, clip in true:
                if not any(np.array_equal(clip, other) for other in truths):
                    truths.append(clip)
                    drawn.append((what, clip))
            drawn.append((f"{head}{label}", predicted))
            if losses:
                drawn.append((f"{head}{_loss_label(item)}", heats[number, branch]))
    return drawn


def _heats(items: Sequence[Branches]) -> dict[tuple[int, str], Picture]:
    """Paint the losses of all branches: those of one name and measure on one scale."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for number, branches in enumerate(items):
        for name, item in branches.items():
            groups.setdefault((name, item.measure), []).append((number, name))
    heats: dict[tuple[int, str], Picture] = {}
    for places in groups.values():
        maps = loss_maps([items[number][name] for number, name in places])
        heats.update(zip(places, maps, strict=True))
    return heats


def _token_losses(clips: Sequence[Sequence[Branches]]) -> Iterator[FloatArray]:
    """Yield the losses of all tokens that have some."""
    for items in clips:
        for branches in items:
            for item in branches.values():
                if item.token_loss is not None:
                    yield item.token_loss


def _loss_label(item: BranchPrediction) -> str:
    loss = "" if item.loss is None else f"\nmean {item.loss:.4f}"
    if item.flat_loss is not None:
        loss += f"\n{item.flat_name} {item.flat_loss:.4f}"
    return f"{item.loss_name}{loss}"


def _same_clips(models: Mapping[str, Sequence[Branches]]) -> list[tuple[Branches, ...]]:
    """Group by clip: one tuple a clip, with an item for each model."""
    counts = {name: len(items) for name, items in models.items()}
    if not counts or not all(counts.values()):
        raise ValueError(f"reconstruction_picture: no clips to draw of {counts or 'no model'}")
    if len(set(counts.values())) > 1:
        raise ValueError(f"reconstruction_picture: models with unlike numbers of clips: {counts}")
    clips = list(zip(*models.values(), strict=True))
    for items in clips:
        first = _any(items[0])
        for name, branches in zip(models, items, strict=True):
            item = _any(branches)
            if not np.array_equal(item.clip, first.clip):
                raise ValueError(
                    f"reconstruction_picture: {name or 'a model'} was given another clip than "
                    f"{next(iter(models))}, {item.clip.shape} and {first.clip.shape}"
                )
    return clips
