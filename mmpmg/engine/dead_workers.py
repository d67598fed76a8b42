"""Which sample a data worker was reading when it died."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from mmengine.runner import Runner

from mmpmg.datasets.bad_samples import BadSamples

_DEATH = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)")


class DataWorkerError(RuntimeError):
    """A data worker died, instead of raising; the message names what it was reading."""


def run_naming_dead_workers(run: Callable[[], object], runner: Runner) -> None:
    """Run, and add to PyTorch's error about a dead data worker the sample that it had begun.

    Decoders written in C can crash on a corrupt file, and the system kills what uses too much
    memory; neither leaves an exception to catch. No context manager: PyTorch raises its error from
    a signal handler, which may strike in the context manager's own frames.

    Args:
        run: what to run.
        runner: has the loops, whose loaders have the workers.

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
        records = [
            record for dataset in _datasets(runner) for record in bad_sample_records(dataset)
        ]
        names = {record.begun_by(pid) for pid in processes for record in records} - {None}
        if not processes or not records:
            raise
        if names:
            what = f"while it read {' or '.join(sorted(map(str, names)))}: mend that file, or take "
            what += "it out of the set. Where memory ran out instead,"
        else:
            what = "between two samples. Where memory or shared memory (/dev/shm) ran out,"
        raise DataWorkerError(
            f"A data worker died {what} lower the dataloader's num_workers. PyTorch says: {error}"
        ) from error


def _datasets(runner: Runner) -> Iterator[Any]:
    """Yield the data set of each loop that has been built."""
    for name in ("_train_loop", "_val_loop", "_test_loop"):
        loader = getattr(getattr(runner, name, None), "dataloader", None)
        if loader is not None:
            yield loader.dataset


def bad_sample_records(dataset: Any) -> Iterator[BadSamples]:
    """Yield the records of unreadable samples of all data sets below one."""
    if isinstance(getattr(dataset, "bad_samples", None), BadSamples):
        yield dataset.bad_samples
    parts = [*getattr(dataset, "datasets", ()), getattr(dataset, "dataset", None)]
    for part in parts:
        if part is not None:
            yield from bad_sample_records(part)
