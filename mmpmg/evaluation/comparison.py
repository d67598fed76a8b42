"""The same fine-tuning from several pre-trainings, over folds: one table."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"
FINISHED = "result.json"


def compare(
    arms: Mapping[str, str | None], finetune: str, folds: Sequence[int], fold_files: str, out: Path
) -> str:
    """Run what is missing of (pre-trainings) and (arms x folds), each in a process of its own.

    Can be stopped at any time: finished cells are kept, an unfinished one starts again from its
    last checkpoint (pre-training) or from the beginning (fine-tuning).

    Args:
        arms: Name -> pre-training recipe, or None for training from scratch.
        finetune: Recognition recipe.
        folds: Numbers of the folds.
        fold_files: Annotation files, with ``{fold}`` and ``{part}`` ("train", "test") to fill in.
        out: Folder for all runs.

    Returns:
        The table, as Markdown.
    """
    encoders = {
        arm: None if recipe is None else _pretrain(recipe, out / f"pretrain_{arm}")
        for arm, recipe in arms.items()
    }
    results: dict[str, list[float]] = {arm: [] for arm in arms}
    # Fold by fold, so that a stopped comparison still compares all arms.
    for fold in folds:
        for arm, encoder in encoders.items():
            accuracy = _finetune(finetune, encoder, fold, fold_files, out / f"{arm}_fold{fold}")
            results[arm].append(accuracy)
            print(f"{arm}, fold {fold}: top-1 {accuracy:.1f} %", flush=True)
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


def _pretrain(recipe: str, run: Path) -> Path:
    encoder = run / "encoder.pth"
    if not encoder.exists():
        _train(recipe, run, "--resume")
    return encoder


def _finetune(recipe: str, encoder: Path | None, fold: int, files: str, run: Path) -> float:
    finished = run / FINISHED
    if not finished.exists():
        options = [
            f"{loader}.dataset.ann_file={files.format(fold=fold, part=part)}"
            for loader, part in (("train_dataloader", "train"), ("val_dataloader", "test"))
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
            tail = (run / "output.log").read_text()[-2000:]
            raise RuntimeError(f"{recipe} failed, see {run / 'output.log'}:\n{tail}")
