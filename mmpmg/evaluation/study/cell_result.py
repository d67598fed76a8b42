"""What a cell leaves: its result, if it is one, and what every record says of the machine."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpmg.evaluation.machine import cpu_name, gpu_name, usable_cores
from mmpmg.evaluation.study.cell_hooks import CellCountHook
from mmpmg.evaluation.study.cells import FINETUNE, RESULT, STATE, read_json, write_json
from mmpmg.models.checkpoint_fit import state_of
from mmpmg.models.weight_files import read_checkpoint
from mmpmg.source_commit import commit
from mmpmg.version import __version__


class CellError(RuntimeError):
    """The training came to its end, but what it leaves is no result."""


@HOOKS.register_module()
class CellResultHook(Hook):
    """Looks at what the training leaves, and writes the result.

    Args:
        folder: The cell's folder.
        kind: "pretrain" or "finetune".
        clips: The budget of a pre-training; None: none is to be kept.
    """

    priority = "LOWEST"  # after the encoder is exported

    def __init__(self, folder: str, kind: str, clips: int | None = None) -> None:
        self.folder, self.kind, self.clips = Path(folder), kind, clips

    def after_train(self, runner: Runner) -> None:
        """Write ``result.json``.

        Raises:
            CellError: The loss or the weights are not finite, there is no accuracy or encoder, or
                another number of clips than the budget's was seen.
        """
        counter = next(hook for hook in runner.hooks if isinstance(hook, CellCountHook))
        counted = counter.counted(runner)
        if counted["loss"] is None:
            raise CellError("the loss of the last epoch is not finite")
        if self.clips not in (None, counted["clips"]):
            raise CellError(f"{counted['clips']} clips were seen; the budget is {self.clips}")
        scores: dict[str, Any] = dict(top1=None, correct=None, videos=None)
        if self.kind == FINETUNE:
            share, videos = counter.top1, counter.videos
            if share is None or videos is None:
                raise CellError("the run gave no accuracy acc/top1; val_evaluator must give one")
            scores = dict(top1=100 * share, correct=round(share * videos), videos=videos)
            weights = runner.model.state_dict()
        else:
            encoder = self.folder / "run" / "encoder.pth"
            if not encoder.is_file():
                raise CellError(
                    "the run left no encoder.pth: custom_hooks must hold EncoderExportHook"
                )
            weights = state_of(read_checkpoint(encoder), str(encoder))
        broken = [key for key, value in weights.items() if not torch.isfinite(value).all()]
        if broken:
            raise CellError(f"{len(broken)} weights are not finite, for example {broken[0]}")
        result = {"kind": self.kind, **facts(self.folder), **counted, **scores}
        write_json(self.folder / RESULT, {**result, "startup": counter.startup})
        # Nobody goes on from them any more; of a pre-training the last one is kept, with its head.
        for file in (self.folder / "run").glob("epoch_*.pth"):
            if self.kind == FINETUNE or file.name != f"epoch_{runner.max_epochs}.pth":
                file.unlink()
        if self.kind == FINETUNE:
            (self.folder / "run" / "last_checkpoint").unlink(missing_ok=True)


def facts(folder: Path) -> dict[str, Any]:
    """Return what stands in every state and result: digest, date, hardware, versions."""
    state = read_json(folder / STATE) or {}
    return dict(
        digest=state.get("digest", ""),
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S"),
        threads=torch.get_num_threads(),
        hardware=gpu_name() if torch.cuda.is_available() else cpu_name(),
        cores=usable_cores(),
        torch=torch.__version__,
        mmpmg=__version__,
        commit=commit(),
    )


def note(folder: Path, **entries: Any) -> None:
    """Add to ``state.json``, with the facts of this machine."""
    state = read_json(folder / STATE) or {}
    write_json(folder / STATE, {**state, **facts(folder), **entries})
