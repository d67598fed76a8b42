"""Work dirs as MMEngine leaves them, without the training."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import torch
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
------------------------------------------------------------
System environment:
    sys.platform: linux
    Python: 3.11.7 (main, May  9 2026) [GCC 12.2.0]
    CUDA available: True
    GPU 0,1: Some GPU
    PyTorch: 2.15.0
    PyTorch compiling details: PyTorch built with:
  - GCC 13.3
    MMEngine: 0.10.7

Runtime environment:
    seed: 0

2026/11/21 12:00:00 - mmengine - INFO - mmpmg 0.1.0, commit abc1234
"""


def write_run(
    folder: Path,
    recipe: str,
    records: list[dict],
    stamp: str = "20261121_120000",
    changes: dict | None = None,
) -> Path:
    """Write one start of a run: its config twice, its scalars, the head of its log."""
    config = Config.fromfile(ROOT / "configs" / f"{recipe}.py", import_custom_modules=False)
    config.merge_from_dict(changes or {})
    start = folder / stamp
    (start / "vis_data").mkdir(parents=True)
    # What config.dump writes, but for the line breaks, which take it a while.
    text = "".join(f"{key} = {value!r}\n" for key, value in config.to_dict().items())
    (start / "vis_data" / "config.py").write_text(text)
    (folder / f"{Path(recipe).name}.py").write_text(text)
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (start / "vis_data" / "scalars.json").write_text(lines)
    (start / f"{stamp}.log").write_text(HEAD)
    return folder


def training(epochs: range, losses: list[float], per_epoch: int = 10) -> list[dict]:
    """Entries of the end of each epoch."""
    return [
        dict(loss=loss, epoch=epoch, iter=epoch * per_epoch, step=epoch * per_epoch)
        for epoch, loss in zip(epochs, losses)
    ]


def validation(accuracies: dict[int, float]) -> list[dict]:
    """Entries of validations, by epoch."""
    return [{"acc/top1": value, "step": epoch} for epoch, value in accuracies.items()]


def write_test(folder: Path, accuracy: float, stamp: str = "20261122_120000") -> None:
    """Write what tools/test.py leaves."""
    start = folder / stamp
    (start / "vis_data").mkdir(parents=True)
    (start / "vis_data" / "config.py").write_text("load_from = 'epoch_100.pth'\n")
    (start / f"{stamp}.json").write_text(json.dumps({"acc/top1": accuracy}))


def write_dump(path: Path, labels: list[int], guesses: list[int], classes: int = 3) -> Path:
    """Write predictions as MMEngine's DumpResults does."""
    samples = [
        dict(
            img_shape=(224, 224),
            gt_label=torch.tensor([label]),
            pred_label=torch.tensor([guess]),
            pred_score=torch.nn.functional.one_hot(torch.tensor(guess), classes).float(),
        )
        for label, guess in zip(labels, guesses)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(samples))
    return path
