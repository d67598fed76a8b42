"""Tiny real material: images and labelled videos on disk, and the tools as processes."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import traceback
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parent.parent.parent

#: The toy recipes, made smaller still: 4 frames of 32 x 32, one block of width 24.
TINY_BACKBONE = {
    "model.backbone.img_size": 32,
    "model.backbone.patch_size": 8,
    "model.backbone.num_frames": 4,
    "model.backbone.tubelet_size": 2,
    "model.backbone.embed_dims": 24,
    "model.backbone.depth": 1,
    "model.backbone.num_heads": 3,
}
SHORT = {
    "train_dataloader.batch_size": 4,
    "train_dataloader.num_workers": 0,
    "train_dataloader.persistent_workers": False,
    "param_scheduler.0.end": 2,  # MMEngine's LinearLR of one step stays at its start
    "param_scheduler.1.begin": 2,
    "default_hooks.logger.interval": 1,
    "default_hooks.checkpoint.interval": 1,
}


@dataclass
class Finished:
    """A tool that ran to its end."""

    status: int
    output: str

    @property
    def last_line(self) -> str:
        return self.output.strip().splitlines()[-1]

    @property
    def iterations(self) -> list[str]:
        """The log's training lines."""
        return re.findall(r"Epoch\(train\).*", self.output)


def write_images(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Write smooth random pictures of 48 x 40 pixels; their names hold a space."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    files = []
    for number in range(count):
        coarse = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
        files.append(folder / f"picture {number:03d}.png")
        assert cv2.imwrite(str(files[-1]), cv2.resize(coarse, (40, 48)))
    return files


def write_videos(folder: Path) -> tuple[Path, list[str]]:
    """Write 8 videos of 24 frames, 48 x 64, in two containers; the class is the direction.

    Returns:
        The list file ("name label" a line) and the names.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    lines, names = [], []
    for number in range(8):
        label = number % 2
        ending, codec = ((".mp4", "mp4v"), (".avi", "MJPG"))[number // 4]
        names.append(f"clip{number}{ending}")
        coarse = rng.integers(0, 256, (6, 18, 3), dtype=np.uint8)
        wide = cv2.resize(coarse, (144, 48))
        writer = cv2.VideoWriter(
            str(folder / names[-1]), cv2.VideoWriter_fourcc(*codec), 12, (64, 48)
        )
        assert writer.isOpened()
        for k in range(24):
            x = 3 * k if label else 3 * (23 - k)
            writer.write(np.ascontiguousarray(wide[:, x : x + 64]))
        writer.release()
        lines.append(f"{names[-1]} {label}\n")
    list_file = folder / "list.txt"
    list_file.write_text("".join(lines))
    return list_file, names


def pretraining(images: Path, **more) -> dict:
    """The ``--cfg-options`` of a tiny pre-training on a folder of images."""
    pipeline = "train_dataloader.dataset.pipeline"
    return {
        **TINY_BACKBONE,
        **SHORT,
        "model.branches.pixel.neck.embed_dims": 12,
        "model.branches.pixel.neck.depth": 1,
        "train_dataloader.dataset.images.root": str(images),
        f"{pipeline}.crop.input_size": 32,
        f"{pipeline}.resize.scale": (32, 32),
        f"{pipeline}.motion.num_frames": 4,
        "train_cfg.max_epochs": 1,
        **more,
    }


def finetuning(videos: Path, encoder: Path | None, **more) -> dict:
    """The ``--cfg-options`` of a tiny fine-tuning on the eight videos."""
    changes = {**TINY_BACKBONE, "load_from": encoder and str(encoder)}
    for part in ("train", "val", "test"):
        dataset = f"{part}_dataloader.dataset"
        changes |= {
            f"{dataset}.ann_file": str(videos),
            f"{dataset}.data_prefix.video": str(videos.parent),
            f"{dataset}.pipeline.frames.clip_len": 4,
            f"{dataset}.pipeline.resize.scale": (32, 32),
            f"{part}_dataloader.batch_size": 4,
            f"{part}_dataloader.num_workers": 0,
            f"{part}_dataloader.persistent_workers": False,
        }
    return {
        **changes,
        "model.cls_head.in_channels": 24,
        "model.cls_head.num_classes": 2,
        "train_cfg.max_epochs": 2,
        "train_cfg.val_interval": 1,
        "param_scheduler.0.end": 2,
        "param_scheduler.1.begin": 2,
        "default_hooks.logger.interval": 1,
        **more,
    }


def options_of(recipe: str, work_dir: Path, changes: dict) -> Namespace:
    """What tools/train.py reads from the command line."""
    return Namespace(
        config=str(ROOT / "configs" / recipe), work_dir=str(work_dir), cfg_options=changes,
        launcher="none", local_rank=0, resume=None, amp=False, no_validate=False,
        auto_scale_lr=False, seed=None, diff_rank_seed=False, deterministic=False,
    )  # fmt: skip


def tool_command(
    tool: str, recipe: str, *arguments: object, changes: dict | None = None
) -> list[str]:
    """Return what a user types for a tool."""
    command = [str(ROOT / "tools" / tool), str(ROOT / "configs" / recipe), *map(str, arguments)]
    if changes:
        command += ["--cfg-options"]
        for key, value in changes.items():
            text = f"({','.join(map(str, value))})" if isinstance(value, tuple) else str(value)
            command.append(f"{key}={text}")
    return command


def run_tool(tool: str, recipe: str, *arguments: object, changes: dict | None = None) -> Finished:
    """Run a tool as a user does, in a process that imports everything; see `forked_tools`."""
    done = subprocess.run(
        [sys.executable, *tool_command(tool, recipe, *arguments, changes=changes)],
        env=dict(os.environ, OMP_NUM_THREADS="1"), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout)


def refusal(recipe: str, changes: dict, work_dir: Path, monkeypatch, *more: str) -> str:
    """Run tools/train.py in this process; return our sentence, else Python's last line.

    Nothing may have been trained when it stops.
    """
    arguments = [f"{key}={value}" for key, value in changes.items()]
    tool = str(ROOT / "tools/train.py")
    monkeypatch.setattr(
        sys, "argv", [tool, str(ROOT / "configs" / recipe), "--work-dir", str(work_dir), *more,
                      "--cfg-options", *arguments, f"experiment_name={work_dir.name}"],
    )  # fmt: skip
    try:
        runpy.run_path(tool, run_name="__main__")
    except SystemExit as end:
        last = str(end.code)
        assert last.startswith("error: ")
    except Exception as error:
        last = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    else:
        raise AssertionError("trained to the end")
    assert not list(work_dir.glob("*.pth"))
    for log in work_dir.glob("*/*.log"):
        assert "Epoch(train)" not in log.read_text()
    return last
