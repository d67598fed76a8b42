"""Made-up results of a study, with the sizes and scatter of real ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from mmpmg.evaluation.study.declaration import Study, read_study
from mmpmg.evaluation.study.rows import Row

VIDEOS = {0: 81, 1: 64, 2: 54, 3: 41}
FAMILIES = """\
question: Does pre-training learn more from images that move, and from which motion?
paper: PMG, Table 2
sizes:
  cpu:
    pretrain: configs/pmg/vit-toy_photographs_unmixed.py
    finetune: configs/finetune/vit-toy_gestures.py
    clips: [15000]
seeds: [0, 1, 2]
folds: [0, 1, 2, 3]
lists: {train: "fold{fold}_train.txt", test: "fold{fold}_test.txt"}
reference: Identity
arms:
  scratch: {pretrain: none}
  Identity: {paper: {UCF101: 72.7, HMDB51: 35.6}}
  SlidingWindow: {paper: {UCF101: 75.1, HMDB51: 40.5}}
  ZoomInOut: {paper: {UCF101: 81.2, HMDB51: 44.5}}
  FadeInOut: {paper: {UCF101: 76.3, HMDB51: 34.1}}
  Affine: {paper: {UCF101: 82.5, HMDB51: 46.0}}
  Perspective: {paper: {UCF101: 80.9, HMDB51: 43.6}}
  ColorJitter: {paper: {UCF101: 74.0, HMDB51: 36.8}}
  CutMix: {paper: {UCF101: 77.2, HMDB51: 41.0}}
  unmixed: {}
"""
LEVELS = dict(
    scratch=10, Identity=13.5, SlidingWindow=15, ZoomInOut=19, FadeInOut=13, Affine=20,
    Perspective=20.4, ColorJitter=14, CutMix=17, unmixed=21,
)  # fmt: skip


def families(folder: Path) -> Study:
    """A declaration like that of Table 2."""
    file = folder / "families.yml"
    file.write_text(FAMILIES)
    return read_study(file)


def done(study: Study, arm: str, seed: int, fold: int, correct: int, **changed: object) -> Row:
    """A fine-tuning that is done."""
    videos = VIDEOS[fold]
    clips = 0 if study.arms[arm].pretrain == "none" else 15000
    row = Row(
        study.name, "cpu", "finetune", arm, "configs/finetune/vit-toy_gestures.py", "", clips,
        seed, fold, "done", top1=100 * correct / videos, correct=correct, videos=videos, loss=1.9,
        updates=200, clips_seen=3200, seconds=181.5, hardware="AMD EPYC 7B13", cores=2, threads=1,
        torch="2.15.0", mmpmg="0.4.0", commit="99ff9d0", date="2026-11-22 05:00:00",
        digest=f"{arm}{seed}{fold}", folder=f"{arm}/clips{clips}_seed{seed}/fold{fold}",
    )  # fmt: skip
    return dataclasses.replace(row, **changed)


def undone(row: Row, state: str, error: str = "") -> Row:
    """The same cell before it is done, or failed."""
    return dataclasses.replace(
        row, state=state, error=error, top1=None, correct=None, videos=None, loss=None
    )


def drawn_rows(study: Study) -> list[Row]:
    """All cells of `families`, done; folds differ, seeds scatter."""
    rng = np.random.default_rng(7)
    rows = []
    hard = dict(zip(VIDEOS, rng.normal(0, 1.5, 4)))
    for arm in study.arms:
        for seed in range(3):
            for fold, videos in VIDEOS.items():
                level = (LEVELS[arm] + hard[fold] + rng.normal(0, 1.5)) / 100
                rows.append(done(study, arm, seed, fold, rng.binomial(videos, level)))
    return rows


def with_gaps(rows: list[Row]) -> list[Row]:
    """One arm failed, one in part, one not run, one nearly."""
    found = []
    for row in rows:
        if row.arm == "CutMix":
            why = "its pre-training failed: the loss is not finite at update 120"
            row = undone(row, "failed", why)
        elif row.arm == "ColorJitter":
            row = undone(row, "missing")
        elif row.arm == "FadeInOut" and row.seed == 1 and row.fold < 2:
            row = undone(row, "failed", "the loss is not finite")
        elif row.arm == "Perspective" and row.seed == 2:
            row = undone(row, "running" if row.fold == 3 else "missing")
        found.append(row)
    return found
