"""Which sample a data worker was reading when it died."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader

from mmpmg.datasets.bad_samples import BadSamples

_DEATH = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)")


class DataWorkerError(RuntimeError):
    """A data worker died, instead of raising; the message names what it was reading."""


def run_naming_dead_workers(run: Callable[[], object], loader: DataLoader) -> None:
    """Run, and add to PyTorch's error about a dead data worker the sample that it had begun.

    Decoders written in C can crash on a corrupt file, and the system kills what uses too much
    memory; neither leaves an exception to catch. No context manager: PyTorch raises its error from
    a signal handler, which may strike in the context manager's own frames.

    Args:
        run: what to run.
        loader: the loader that has the workers.

    Raises:
        DataWorkerError: a worker died while it read a sample of one of our datasets.
    """
    try:
        try:
            run()
        except (EOFError, ConnectionError):
            # What a dead worker was sending broke off before its death was noticed.
            time.sleep(1)
            raise
    except RuntimeError as error:
        death = _DEATH.search(str(error))
        processes = [int(pid) for pid in death.group(1).split(",")] if death else []
        records = list(_records(loader.dataset))
        names = {record.begun_by(pid) for pid in processes for record in records} - {None}
        if not names:
            raise
        raise DataWorkerError(
            f"A data worker died while it read {' or '.join(sorted(map(str, names)))}: mend that "
            "file, or take it out of the set (train_dataloader.dataset). Where memory ran out "
            f"instead, lower train_dataloader.num_workers. PyTorch says: {error}"
        ) from error


def _records(dataset: Any) -> Iterator[BadSamples]:
    """Yield the records of all datasets below one."""
    if isinstance(getattr(dataset, "bad_samples", None), BadSamples):
        yield dataset.bad_samples
    parts = [*getattr(dataset, "datasets", ()), getattr(dataset, "dataset", None)]
    for part in parts:
        if part is not None:
            yield from _records(part)
