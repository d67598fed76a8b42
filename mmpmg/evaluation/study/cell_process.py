"""The process of one cell: ``python -m mmpmg.evaluation.study.cell_process FOLDER``.

Goes on from the newest whole checkpoint, and leaves ``result.json`` or says in ``state.json`` why
there is none. Exit status: 0 done, 1 failed, `STOPPED` before the deadline, `ELSEWHERE` when
another process has the folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import torch

from mmpmg import typed
from mmpmg.engine.folder_lock import Lock, LockError
from mmpmg.engine.training import train
from mmpmg.evaluation.study import cell_result  # registers a hook
from mmpmg.evaluation.study.cell_hooks import SAVE_EVERY, STOPPED
from mmpmg.evaluation.study.cells import FINETUNE, PRETRAIN, RECIPE
from mmpmg.written_beside import written_beside

ELSEWHERE = 76
"""Exit status of a cell that is being trained by another process."""
_WAIT = 30.0  # seconds for the process of a killed study to end


def newest_whole(run: Path) -> Path | None:
    """Find the checkpoint to go on from; those that were half written are removed.

    MMEngine writes checkpoints, and the name of the last one, in place.

    Args:
        run: The work_dir.

    Returns:
        The newest whole one, whose name then also stands in ``last_checkpoint``; None: none.
    """
    for file in sorted(run.glob("epoch_*.pth"), key=lambda f: int(f.stem[6:]), reverse=True):
        if _is_whole(file):
            with written_beside(run / "last_checkpoint") as unfinished:
                unfinished.write_text(str(file))
            return file
        file.unlink()
    (run / "last_checkpoint").unlink(missing_ok=True)
    return None


def _is_whole(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, EOFError, OSError):
        return False


def run_cell(
    folder: Path,
    kind: str,
    born: float,
    until: float | None,
    save_every: float = SAVE_EVERY,
    clips: int | None = None,
) -> int:
    """Train a cell to its end, or until the deadline.

    Args:
        folder: The cell's folder, with its recipe.
        kind: "pretrain" or "finetune".
        born: Time at which the process was started, seconds since the epoch.
        until: Deadline, seconds since the epoch; None: none.
        save_every: Seconds between checkpoints.
        clips: The budget, which the clips seen are held against; None: none.

    Returns:
        The exit status.
    """
    hooks: dict[str, Any] = {
        "checkpoint._delete_": True,
        "checkpoint.type": "CellCheckpointHook",
        "checkpoint.until": until,
        "checkpoint.save_every": save_every,
        "checkpoint.save_last": kind == PRETRAIN,
        "cell_count.type": "CellCountHook",
        "cell_count.folder": str(folder),
        "cell_count.born": born,
        "cell_result.type": "CellResultHook",
        "cell_result.folder": str(folder),
        "cell_result.kind": kind,
        "cell_result.clips": clips,
    }
    checkpoint = newest_whole(folder / "run")
    options = argparse.Namespace(
        config=str(folder / RECIPE), work_dir=str(folder / "run"), launcher="none", local_rank=0,
        resume=checkpoint and str(checkpoint), amp=False, no_validate=False, auto_scale_lr=False,
        seed=None, diff_rank_seed=False, deterministic=False,
        cfg_options={f"default_hooks.{key}": value for key, value in hooks.items()},
    )  # fmt: skip
    try:
        train(options)
    except SystemExit as ended:
        if ended.code != STOPPED:
            raise
        cell_result.note(folder, state="stopped")
        return STOPPED
    except Exception as error:  # whatever a training raises is why this cell has failed
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        cell_result.note(folder, state="failed", error=reason)
        raise
    return 0


def _die_with(parent: int, lock: Lock, folder: Path) -> None:
    """End at once when the study that started this process is gone, or another has the folder."""
    while os.getppid() == parent:
        time.sleep(0.3)
        try:
            lock.beat()
        except (LockError, OSError) as error:
            print(_refusal(folder, error), file=sys.stderr, flush=True)
            break
    os._exit(ELSEWHERE)


def _refusal(folder: Path, error: Exception) -> str:
    """Say why this process does not train a cell; the study tells its last line."""
    return f"{typed.tool('study.py')} leaves the cell {folder} to another process: {error}"


def main() -> None:
    """Read the command line, keep others out of the folder, and train."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="the cell's folder, with its recipe.py")
    parser.add_argument("--kind", choices=[PRETRAIN, FINETUNE], required=True)
    parser.add_argument("--clips", type=int, help="budget of a pre-training")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--born", type=float, default=time.time(), help="time of the start")
    parser.add_argument("--parent", type=int, help="process without which this one ends")
    parser.add_argument("--until", type=float, help="deadline, seconds since the epoch")
    parser.add_argument("--save-every", type=float, default=SAVE_EVERY, help="seconds")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        lock = Lock.acquire(options.folder / "training.lock", patience=_WAIT)
    except LockError as error:
        print(_refusal(options.folder, error), file=sys.stderr)
        sys.exit(ELSEWHERE)
    threading.Thread(
        target=_die_with, args=(options.parent or os.getppid(), lock, options.folder), daemon=True
    ).start()
    try:
        status = run_cell(
            options.folder, options.kind, options.born, options.until, options.save_every,
            options.clips,
        )  # fmt: skip
    finally:
        lock.release()
    sys.exit(status)


if __name__ == "__main__":
    main()
