"""Curves of a run: MMEngine's ``scalars.json`` of its starts, put together."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ACCURACY = "acc/top1"
Curve = tuple[list[float], list[float]]


def read_records(starts: list[Path], problems: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the entries of a run's starts; where a later one repeats steps, the later ones count.

    Lines that cannot be read are named in ``problems``.
    """
    kept: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for start in starts:
        path = start / "vis_data" / "scalars.json"
        fresh: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            try:
                record = json.loads(line)
                fresh["epoch" in record].append(record | dict(step=float(record["step"])))
            except (ValueError, KeyError, TypeError):
                problems.append(f"{path}, line {number} is cut off or broken, and left out")
        for training, records in fresh.items():
            if records:
                begin = min(record["step"] for record in records)
                old = [record for record in kept[training] if record["step"] < begin]
                kept[training] = old + records
    yield from kept[True]
    yield from kept[False]


def curves_of(records: list[dict[str, Any]]) -> tuple[Curve, Curve]:
    """Return loss, and validation accuracy in percent, over epochs; NaN for what is no number."""
    training = [r for r in records if r.get("epoch") and "loss" in r and r.get("iter")]
    # The last entry of an epoch is at its end, so the greatest ratio is that of whole epochs.
    per_epoch = max((r["iter"] / r["epoch"] for r in training), default=1.0)
    loss = [r["iter"] / per_epoch for r in training], [_number(r["loss"]) for r in training]
    validated = [r for r in records if ACCURACY in r and "epoch" not in r]
    accuracy = [r["step"] for r in validated], [100 * _number(r[ACCURACY]) for r in validated]
    return loss, accuracy


def _number(value: Any) -> float:
    """Return a number of the log; NaN for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def finite(curve: Curve) -> Curve:
    """Return the points of a curve whose values are finite."""
    points = [(x, y) for x, y in zip(*curve, strict=True) if math.isfinite(y)]
    return [x for x, _ in points], [y for _, y in points]


def not_finite(what: str, curve: Curve) -> list[str]:
    """Say in a sentence where a curve holds NaN or infinity; nothing where it does not."""
    epochs = [x for x, y in zip(*curve, strict=True) if not math.isfinite(y)]
    told = f"its {what} is not finite in {len(epochs)} of {len(curve[1])} entries"
    return [f"{told}, first at epoch {epochs[0]:.4g}"] if epochs else []
