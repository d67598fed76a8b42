"""The same recognition task from several pre-trainings, over folds: one table."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mmpmg.command import tool_folder

TOOLS = tool_folder()
FINISHED = "result.json"


class Arm(NamedTuple):
    """One line of a comparison."""

    pretrain: str | None
    """Pre-training recipe; None: from scratch."""
    recognize: str
    """Recognition recipe that follows: fine-tuning or linear probing."""
    own_videos: bool = False
    """Pre-trained for each fold anew, on its training videos without their labels."""


class FoldLists(NamedTuple):
    """Annotation files, with ``{fold}`` to fill in."""

    train: str
    """All training videos of a fold."""
    test: str
    """Its test videos."""
    labelled: str | None = None
    """Training videos whose labels are used; None: all."""


def compare(
    arms: Mapping[str, Arm], folds: Sequence[int], lists: FoldLists, out: Path, protocol: str = ""
) -> str:
    """Run what is missing of (pre-trainings) and (arms x folds), each in a process of its own.

    Can be stopped at any time: finished cells are kept, an unfinished one starts again from its
    last checkpoint (pre-training) or from the beginning (recognition).

    Args:
        arms: Name -> what is run.
        folds: Numbers of the folds.
        lists: Annotation files.
        out: Folder for all runs.
        protocol: Sets the recognition runs' folders apart from those of another protocol, whose
            pre-trainings they share; empty for full fine-tuning.

    Returns:
        The table, as Markdown.
    """
    results: dict[str, list[float]] = {name: [] for name in arms}
    # Fold by fold, so that a stopped comparison still compares all arms.
    for fold in folds:
        for name, arm in arms.items():
            encoder = _pretrained(name, arm, fold, lists, out)
            run = out / "_".join(part for part in (name, protocol, f"fold{fold}") if part)
            accuracy = _recognize(arm.recognize, encoder, fold, lists, run)
            results[name].append(accuracy)
            print(f"{name}, fold {fold}: top-1 {accuracy:.1f} %", flush=True)
    return table(results, folds)


def table(results: Mapping[str, Sequence[float]], folds: Sequence[int]) -> str:
    """Lay out accuracies in percent, one row an arm, with mean and standard error over folds."""
    head = ["pre-training", *(f"fold {fold}" for fold in folds), "mean ± standard error"]
    rows = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for arm, values in results.items():
        error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
        cells = [arm, *(f"{v:.1f}" for v in values), f"{statistics.mean(values):.1f} ± {error:.1f}"]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def last_accuracy(run: Path) -> float:
    """Top-1 accuracy in percent at the end of a run: the last epoch's, not the best one's.

    Args:
        run: The run's work_dir.

    Raises:
        FileNotFoundError: The run wrote no accuracy.
    """
    values = [
        json.loads(line)["acc/top1"]
        for file in sorted(run.glob("*/vis_data/scalars.json"))
        for line in file.read_text().splitlines()
        if '"acc/top1"' in line
    ]
    if not values:
        raise FileNotFoundError(f"no accuracy below {run}")
    return 100 * float(values[-1])


def _pretrained(name: str, arm: Arm, fold: int, lists: FoldLists, out: Path) -> Path | None:
    if arm.pretrain is None:
        return None
    run, options = out / f"pretrain_{name}", []
    if arm.own_videos:
        run = out / f"pretrain_{name}_fold{fold}"
        options = [f"train_dataloader.dataset.ann_file={lists.train.format(fold=fold)}"]
    encoder = run / "encoder.pth"
    if not encoder.exists():
        _train(arm.pretrain, run, "--resume", *(["--cfg-options", *options] if options else []))
    return encoder


def _recognize(recipe: str, encoder: Path | None, fold: int, lists: FoldLists, run: Path) -> float:
    finished = run / FINISHED
    if not finished.exists():
        files = dict(train=lists.labelled or lists.train, val=lists.test)
        options = [
            f"{part}_dataloader.dataset.ann_file={file.format(fold=fold)}"
            for part, file in files.items()
        ]
        if encoder is not None:
            options.append(f"load_from={encoder}")
        _train(recipe, run, "--cfg-options", *options, "default_hooks.checkpoint.interval=-1")
        finished.write_text(json.dumps(dict(top1=last_accuracy(run))))
    return json.loads(finished.read_text())["top1"]


def _train(recipe: str, run: Path, *options: str) -> None:
    run.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(TOOLS / "train.py"), recipe, "--work-dir", str(run), *options]
    print(" ".join(command), flush=True)
    with (run / "output.log").open("w") as log:
        if subprocess.run(command, stdout=log, stderr=log).returncode:
            tail = (run / "output.log").read_text()[-2000:].rstrip()
            refusal = re.search(r"^error: (.+)\Z", tail, re.M)  # see mmpmg.engine.command_line
            if refusal:
                raise RuntimeError(f"{recipe}: {refusal[1]}")
            raise RuntimeError(f"{recipe} failed, see {run / 'output.log'}:\n{tail}")
