"""What ``tools/train.py`` and ``tools/test.py`` do after reading their options."""

from __future__ import annotations

import argparse
import logging
import math
import os
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner, find_latest_checkpoint

from mmpmg import typed
from mmpmg.engine.bare_model import bare_model
from mmpmg.engine.dead_workers import bad_sample_records, run_naming_dead_workers
from mmpmg.engine.deferred_check import check_deferred
from mmpmg.engine.flow_check import check_flow_order
from mmpmg.engine.launch import build_runner, load_recipe
from mmpmg.engine.recipe_changes import mistyped_keys_named
from mmpmg.engine.start_checks import (
    check_foreign_lists,
    check_named_weights,
    check_resumed,
    check_start,
)
from mmpmg.models.checkpoint_fit import check_file

FRESH = "none"


def train(options: argparse.Namespace) -> None:
    """Train with MMAction2's options.

    Args:
        options: Those of :func:`mmpmg.engine.launch.add_shared_options`, and ``resume``, ``amp``,
            ``no_validate``, ``auto_scale_lr``, ``seed``, ``diff_rank_seed``, ``deterministic``.

    Raises:
        ValueError: ``--auto-scale-lr`` for a recipe that does not state its batch size, a
            checkpoint that does not fit the model, labels that do not fit the classifier, clips
            that nobody renders, a flow behind which pixels are moved, or a run shorter than its
            warm-up.
        FileNotFoundError: ``--resume FILE`` or ``load_from``, and there is no such file; or videos
            do not exist.
    """
    config = load_recipe(options)
    if config.get("train_dataloader") is None:
        raise ValueError(
            f"{options.config} has no train_dataloader: it is for testing only, such as "
            "MMAction2's VideoMAE recipes; docs/mixing_in.md shows what a recipe of your own adds"
        )
    check_deferred(config)
    check_flow_order(config)
    check_foreign_lists(config)
    if options.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    if options.amp and config.optim_wrapper.get("type", "OptimWrapper") == "OptimWrapper":
        config.optim_wrapper.type = "AutocastOptimWrapper"
    if options.resume == "auto":
        # MMEngine's own auto-resume forgets load_from even where there is nothing to resume: the
        # first start of a requeued job would train from scratch.
        config.resume = find_latest_checkpoint(config.work_dir) is not None
        config.load_from = None if config.resume else config.get("load_from")
    elif options.resume is not None:
        config.resume, config.load_from = True, options.resume
    if config.get("load_from") and not Path(config.load_from).is_file():
        key = "--resume" if options.resume else "load_from"
        if "://" not in config.load_from:
            raise FileNotFoundError(f"no checkpoint at {config.load_from}, which {key} names")
    if options.auto_scale_lr:
        if "auto_scale_lr" not in config:
            raise ValueError(
                f"{options.config} has no auto_scale_lr; add auto_scale_lr=dict(base_batch_size=N)"
            )
        told = _scale_learning_rate(config)
    else:
        told = ""
    randomness = config.get("randomness") or dict(seed=None)  # MMAction2's recipes have none
    if options.seed is not None:
        randomness["seed"] = options.seed
    if options.diff_rank_seed:
        randomness["diff_rank_seed"] = True
    if options.deterministic:
        randomness["deterministic"] = True
    config.randomness = randomness
    runner = build_runner(config)  # with it comes the log file
    if told:
        print_log(told, logger="current")
    _warn_of_batch_size(config)
    if config.get("resume"):
        check_resumed(runner, config.load_from or find_latest_checkpoint(runner.work_dir))
        backbone = getattr(bare_model(runner), "backbone", None)
        if backbone is not None:
            backbone.init_cfg = None  # every weight comes from the run: ask for no image weights
    elif config.get("load_from"):
        check_file(bare_model(runner), config.load_from)
    else:
        check_named_weights(bare_model(runner))
    with mistyped_keys_named(config):  # the loop, dataset and optimizer are built only now
        _check_length(runner, config)
        check_start(runner)
        run_naming_dead_workers(runner.train, runner)
    _tell_of_bad_samples(runner)


def _tell_of_bad_samples(runner: Runner) -> None:
    """Say at the end how much could not be read: warnings scroll away."""
    for record in bad_sample_records(runner.train_dataloader.dataset):
        if record.names():
            print_log(
                f"{len(record.names())} of {len(record)} {record.kind}s could not be read; each is "
                "named above, once",
                logger="current",
                level=logging.WARNING,
            )


def _check_length(runner: Runner, config: Config) -> None:
    """A run without a batch, or shorter than its warm-up, fails deep inside MMEngine; say it here.

    Only the loop knows how many iterations there are, so it is built now; ``train`` takes it over.
    """
    loop = runner.train_loop
    if not len(loop.dataloader):
        raise ValueError(
            f"{len(loop.dataloader.dataset)} samples over {runner.world_size} processes do not "
            f"fill one batch of train_dataloader.batch_size={config.train_dataloader.batch_size}: "
            "lower it (with --auto-scale-lr), or set train_dataloader.drop_last=False"
        )
    schedulers = runner.param_schedulers or []
    schedulers = schedulers if isinstance(schedulers, (list, tuple)) else [schedulers]
    for number, scheduler in enumerate(schedulers):
        if not isinstance(scheduler, dict):
            continue
        by_epoch = scheduler.get("by_epoch", True)
        length, unit = (loop.max_epochs, "epochs") if by_epoch else (loop.max_iters, "iterations")
        begin = scheduler.get("begin", 0)
        if begin >= length and "end" not in scheduler:
            end = max(2, length // 10)
            advice = (
                "shorten the warm-up with --cfg-options "
                f"param_scheduler.{number - 1}.end={end} param_scheduler.{number}.begin={end}"
                if end < length
                else "keep the rate constant with --cfg-options param_scheduler=None"
            )
            raise ValueError(
                f"the run has {length} {unit} (see train_cfg.max_epochs), but "
                f"param_scheduler.{number}, a {scheduler['type']}, begins after {begin}, behind "
                f"the warm-up: train longer, or {advice}"
            )


def _batch_size(config: Config) -> tuple[int, int, int]:
    """(processes, samples a batch, batches a step); their product is the samples of a step."""
    processes = int(os.environ.get("WORLD_SIZE", os.environ.get("SLURM_NTASKS", 1)))
    counts = config.optim_wrapper.get("accumulative_counts", 1)
    return (
        1 if config.launcher == "none" else processes,
        config.train_dataloader.batch_size,
        counts,
    )


def _scale_learning_rate(config: Config) -> str:
    """Scale the rate and the schedules' floors to the samples of a step; return what to say of it.

    MMEngine's own scaling counts neither gradient accumulation nor a floor, which would end up
    above the rate itself.
    """
    ratio = math.prod(_batch_size(config)) / config.auto_scale_lr.base_batch_size
    config.optim_wrapper.optimizer.lr *= ratio
    for scheduler in config.get("param_scheduler") or []:
        if "eta_min" in scheduler:
            scheduler.eta_min *= ratio
    config.auto_scale_lr = dict(enable=False, base_batch_size=math.prod(_batch_size(config)))
    return (
        f"learning rate and floors x {ratio:g} (--auto-scale-lr): lr "
        f"{config.optim_wrapper.optimizer.lr:g}"
    )


def _warn_of_batch_size(config: Config) -> None:
    """A recipe's learning rate belongs to its batch size; say so where they part."""
    scaling = config.get("auto_scale_lr")
    batch = _batch_size(config)
    if scaling and math.prod(batch) != scaling.base_batch_size:
        print_log(
            f"{' x '.join(map(str, batch))} (processes x batch_size x accumulative_counts) = "
            f"{math.prod(batch)} samples a step; the recipe's learning rate is for "
            f"{scaling.base_batch_size}. --auto-scale-lr scales it",
            logger="current",
            level=logging.WARNING,
        )


def test(options: argparse.Namespace) -> None:
    """Evaluate a checkpoint with MMAction2's options.

    Args:
        options: Those of :func:`mmpmg.engine.launch.add_shared_options`, and ``checkpoint``,
            ``dump``. The checkpoint "none" tests the weights that the recipe starts from, drawn
            from its ``randomness.seed``.

    Raises:
        FileNotFoundError: No such checkpoint.
        ValueError: ``--dump`` without .pkl or .pickle.
    """
    config = load_recipe(options)
    fresh = options.checkpoint == FRESH
    if not fresh and "://" not in options.checkpoint and not Path(options.checkpoint).is_file():
        raise FileNotFoundError(
            f"no checkpoint at {options.checkpoint}; name a file of weights, or type {FRESH!r} in "
            "its place to test a model that nobody has trained"
        )
    if config.get("test_dataloader") is None:
        raise ValueError(
            f"{options.config} has no test_dataloader: a pre-training recipe has nothing to "
            f"test; fine-tune with a recipe of {typed.recipe('finetune')} first"
        )
    config.load_from = None if fresh else options.checkpoint
    if options.dump is not None:
        if not options.dump.endswith((".pkl", ".pickle")):
            raise ValueError(f"--dump {options.dump} must end with .pkl or .pickle")
        evaluators = config.test_evaluator
        evaluators = list(evaluators) if isinstance(evaluators, (list, tuple)) else [evaluators]
        config.test_evaluator = [*evaluators, dict(type="DumpResults", out_file_path=options.dump)]
    runner = build_runner(config)
    if fresh:
        bare_model(runner).init_weights()  # MMEngine draws them for training alone
    else:
        check_file(bare_model(runner), options.checkpoint, whole=True)
    run_naming_dead_workers(runner.test, runner)
