"""A study of stub size: real recipes made tiny, on pictures and videos that are written here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from integration.tiny_runs import ROOT, finetuning, pretraining, write_images, write_videos
from mmengine.config import Config

from mmpmg.engine.ordered_config import OrderedConfig

ARMS: dict[str, Any] = {"scratch": {"pretrain": "none"}, "Zoom": {"change": {}}}
CLIPS, EPOCHS = 36, 3
"""12 pictures, 3 epochs of 3 updates."""
TEMPORARY = ("seconds", "epoch_seconds", "startup", "date", "commit")


def nested_ops(**kinds: str) -> dict[str, Any]:
    """The change of an arm: these ops in place of the recipe's."""
    ops = {"_delete_": True, **{name: {"type": kind} for name, kind in kinds.items()}}
    return {"train_dataloader": {"dataset": {"pipeline": {"motion": {"ops": ops}}}}}


def write_recipe(base: str, changes: dict[str, Any], file: Path) -> str:
    """Write one of our recipes with changes, whole."""
    config = Config.fromfile(ROOT / "configs" / base)
    config.merge_from_dict(changes)
    file.write_text(OrderedConfig.of(config).pretty_text)
    return str(file)


def write_study(folder: Path, **more: Any) -> Path:
    """Write pictures, videos, two recipes and a declaration.

    Args:
        folder: Where to.
        more: Entries of the declaration in place of the usual ones.

    Returns:
        The declaration.
    """
    write_images(folder / "pictures", 12)
    videos, _ = write_videos(folder / "videos")
    # Drop path draws from a generator whose state no checkpoint holds.
    drop = {"model.backbone.drop_path_rate": 0.2}
    changes = pretraining(folder / "pictures", **drop)
    del changes["train_dataloader.dataset.images.root"]
    images = {"_delete_": True, "type": "FolderImages", "root": str(folder / "pictures")}
    changes["train_dataloader.dataset.images"] = images
    changes["train_dataloader.dataset.num_images"] = None
    pre = write_recipe("pmg/vit-toy_generated_smoke.py", changes, folder / "pretrain.py")
    changes = finetuning(videos, None, **drop, **{"train_cfg.max_epochs": EPOCHS})
    changes = {key: value for key, value in changes.items() if ".pipeline." not in key}
    for part in ("train", "val", "test"):
        pipeline = f"{part}_dataloader.dataset.pipeline"
        changes |= {f"{pipeline}.frames.clip_len": 4, f"{pipeline}.resize.scale": (32, 32)}
    tune = write_recipe("finetune/vit-toy_gestures.py", changes, folder / "finetune.py")
    content = {
        "question": "Does it?",
        "sizes": {"stub": {"pretrain": pre, "finetune": tune, "clips": [CLIPS]}},
        "seeds": [0],
        "folds": [0],
        "lists": {"train": str(videos), "test": str(videos)},
        "reference": "scratch",
        "arms": ARMS,
        **more,
    }
    file = folder / "stub.yml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


def start(file: Path, out: Path, *options: str, log: Path) -> subprocess.Popen:
    """Start tools/study.py in a process group of its own."""
    command = [sys.executable, str(ROOT / "tools/study.py"), str(file), "--out", str(out), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with log.open("a") as stream:
        return subprocess.Popen(
            command, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )


def results(out: Path) -> dict[str, dict[str, Any]]:
    """Read all results below a folder, by the cells' folders, without seconds and dates."""
    found = {}
    for file in sorted(out.rglob("result.json")):
        result = json.loads(file.read_text())
        found[str(file.parent.relative_to(out))] = {
            key: value for key, value in result.items() if key not in TEMPORARY
        }
    return found
