"""Videos in, a file of features out: resumable, in shards, in bounded memory."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope

from mmpmg import typed
from mmpmg.datasets.bad_samples import TooManyBadSamplesError
from mmpmg.engine.dead_workers import DataWorkerError
from mmpmg.engine.folder_lock import LockError
from mmpmg.engine.image_generation.errors import GenerationError
from mmpmg.engine.image_generation.layout import Shard
from mmpmg.engine.launch import load_recipe
from mmpmg.engine.stop_signals import sigterm_as_interrupt

from .encoder import PRECISIONS, PooledEncoder, build_encoder
from .errors import ExtractionError, InterruptedExtraction
from .extraction import Extraction
from .folder import PartsFolder
from .parts import DoneRows
from .settings import differences, make_settings
from .table import Table, check_ending, read_settings, write_table
from .videos import Videos
from .views import recipe_views

POOLS = ("video", "clip")


@dataclass(frozen=True)
class ExtractionOptions:
    """What to extract, and where to.

    Args:
        config: recipe, see `mmpmg.engine.launch.recipe_file`; it brings encoder and test pipeline.
        checkpoint: file of weights: fine-tuned, an encoder's, or a pre-training's.
        videos: folder of videos, list of them (``path label`` or ``path`` a line), or a video.
        out: .npz or .parquet file.
        root: folder that relative paths of a list start from.
        cfg_options: changes to the recipe.
        clips: clips of each video; None: as many as the recipe tests.
        crops: crops of each clip, 1, 3 or 10; None: as the recipe tests.
        pool: "video": one vector a video, the mean over its views; "clip": one a clip, the mean
            over its crops.
        batch_size: views (clips x crops) of one forward pass, 1 or more.
        workers: processes that decode; 0: none.
        device: "cuda", "cuda:1", "cpu"; None: a GPU if there is one.
        precision: "fp32", "bf16" or "fp16".
        shard: which part of the videos, ``"NUMBER/COUNT"``, NUMBER from 0.
        max_bad_share: share of unreadable videos among those tried, [0, 1], above which it stops;
            early on, 200 tried videos are assumed.
    """

    config: str
    checkpoint: str
    videos: str
    out: str
    root: str = ""
    cfg_options: Mapping[str, Any] | None = field(default=None)
    clips: int | None = None
    crops: int | None = None
    pool: str = "video"
    batch_size: int = 16
    workers: int = 4
    device: str | None = None
    precision: str = "fp32"
    shard: str = "0/1"
    max_bad_share: float = 0.01


def extract_features(options: ExtractionOptions) -> Path | None:
    """Extract the features that are not there yet; the last shard to finish writes the file.

    The file follows from the options but ``workers`` and ``shard``, and to the last bits from
    ``batch_size`` and ``device``, however often the work is broken off.

    Args:
        options: see the class.

    Returns:
        The file; None while videos of other shards are missing.

    Raises:
        InterruptedExtraction: the user or the scheduler stopped it.
        ExtractionError: an option is illegal, there is no video, the checkpoint does not fit, too
            many videos cannot be read, or the file was begun with other settings or is being
            written by another run. What is finished stays finished.
    """
    with _told_plainly(ValueError, TypeError, UnpicklingError):  # of recipe, checkpoint or list
        out, shard = _check(options)
        extraction, settings = _prepare(options)
        if out.exists():
            _check_finished(out, settings)
            folder = PartsFolder(out)
            if not any(True for _ in folder.at_work()):
                folder.clean()  # a run may have been killed between its last two steps
            print(f"{out} is there already, with these settings")
            return out
    with _told_plainly():
        folder = PartsFolder(out)
        lock = folder.join(settings, shard)
        try:
            extraction.run(folder, shard, lock, options.workers)
        finally:
            lock.release()
        return _finish(folder, extraction.videos, settings, shard)


def _prepare(options: ExtractionOptions) -> tuple[Extraction, dict[str, Any]]:
    """Read the recipe, the checkpoint and the list; return also what the features follow from."""
    recipe = load_recipe(
        argparse.Namespace(
            config=options.config, cfg_options=options.cfg_options, work_dir=None,
            launcher="none", local_rank=0,
        )
    )  # fmt: skip
    init_default_scope(recipe.get("default_scope", "mmaction"))
    views = recipe_views(recipe, options.config, options.clips, options.crops)
    videos = Videos(options.videos, options.root, views.pipeline, options.max_bad_share)
    model, described, fresh = build_encoder(recipe, options.config, options.checkpoint)
    if fresh:
        print(f"{options.checkpoint} lacks {', '.join(fresh)}: they start as in fine-tuning")
    settings = make_settings(
        described, views, options.checkpoint, videos.fingerprint(), options.pool, options.precision
    )
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    encoder = PooledEncoder(model, device, options.precision, options.batch_size)
    crops = views.crops if options.pool == "clip" else None
    return Extraction(videos, encoder, views.clips * views.crops, crops), settings


def _check(options: ExtractionOptions) -> tuple[Path, Shard]:
    """Refuse options that are illegal by themselves."""
    out = Path(options.out)
    check_ending(out)
    if options.batch_size < 1:
        raise ExtractionError(f"--batch-size {options.batch_size}: must be 1 or more")
    if options.workers < 0:
        raise ExtractionError(f"--workers {options.workers}: must be 0 (none) or more")
    if options.pool not in POOLS:
        raise ExtractionError(f"--pool {options.pool}: must be one of {', '.join(POOLS)}")
    if options.precision not in PRECISIONS:
        raise ExtractionError(
            f"--precision {options.precision}: must be one of {', '.join(PRECISIONS)}"
        )
    if not os.path.exists(options.checkpoint):
        raise ExtractionError(f"no checkpoint at {options.checkpoint}")
    _check_device(options.device)
    return out, Shard.parse(options.shard)


def _check_device(device: str | None) -> None:
    """Refuse a device that does not compute here."""
    if device is None:
        return
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ExtractionError(f"--device {device}: torch finds no GPU; take --device cpu")
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError) as error:  # by the kind of device
        raise ExtractionError(
            f"--device {device}: torch does not compute there; take cpu, cuda, or cuda:NUMBER of a "
            "GPU that is there"
        ) from error


def _check_finished(out: Path, settings: Mapping[str, Any]) -> None:
    before = read_settings(out)
    found = ["not made by this tool"] if before is None else differences(before, settings)
    if found:
        raise ExtractionError(
            f"{out} is there already: {'; '.join(found)}. Name another --out, or remove it"
        )


def _finish(
    folder: PartsFolder, videos: Videos, settings: Mapping[str, Any], shard: Shard
) -> Path | None:
    """Write the file if nobody else is at work and nothing is missing; say how things are."""
    try:
        with folder.guarded() as guard:
            if any(True for _ in folder.at_work()):
                print(f"Shard {shard} is done; the last of those at work writes {folder.out}")
                return None
            done = DoneRows(folder.path, len(videos))
            missing = len(done.missing(np.arange(len(videos))))
            if missing:
                print(
                    f"Shard {shard} is done, {missing} videos of others are missing. The last one "
                    f"writes {folder.out}; without --shard, this command does all that is missing"
                )
                return None
            if done.shape is None:
                raise ExtractionError(f"none of the {len(videos)} videos can be read")
            table = Table(
                done, videos.names, videos.labels, settings["pool"] == "clip", settings, guard.beat
            )
            write_table(table, folder.out, folder.path / "finished.part")
            folder.clean()
    except FileNotFoundError:
        if not folder.out.exists():
            raise
        return folder.out  # another shard was the last
    rows, width = table.shape[0] * table.shape[1], table.shape[2]
    skipped = f"; {len(table.skipped)} videos skipped" if table.skipped else ""
    print(f"{rows} vectors of {width} numbers are in {shlex.quote(str(folder.out))}{skipped}")
    return folder.out


@contextmanager
def _told_plainly(*mistakes: type[Exception]) -> Iterator[None]:
    """Turn what a user can mend into one kind of error.

    Args:
        *mistakes: what else a user's mistake raises here; elsewhere it would be ours.
    """
    refused: tuple[type[Exception], ...] = (
        GenerationError, TooManyBadSamplesError, DataWorkerError, *mistakes
    )  # fmt: skip
    try:
        with sigterm_as_interrupt():
            yield
    except KeyboardInterrupt:
        raise InterruptedExtraction("stopped; the same command goes on") from None
    except LockError as error:
        raise ExtractionError(
            f"{typed.tool('extract_features.py')} cannot go on: {error}. What is done stays done"
        ) from None
    except torch.OutOfMemoryError as error:
        raise ExtractionError(f"{error} Lower --batch-size; what is done stays done") from error
    except refused as error:
        sentence = str(error).replace("dataset.max_bad_share", "--max-bad-share")
        raise ExtractionError(sentence) from error
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise ExtractionError(what) from error
