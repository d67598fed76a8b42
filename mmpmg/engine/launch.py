"""From a recipe and command-line options to a running MMEngine Runner, with or without a GPU."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from difflib import get_close_matches
from pathlib import Path

import cv2
import mmaction
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import FlexibleRunner, Runner
from torch import distributed

from mmpmg import typed
from mmpmg.engine.log_noise import silence_noise
from mmpmg.engine.ordered_config import OrderedConfig
from mmpmg.engine.recipe_changes import (
    RecipeChanges,
    check_changes,
    check_names,
    mistyped_keys_named,
)
from mmpmg.evaluation.recipe_names import recipe_folder
from mmpmg.source_commit import commit
from mmpmg.stack import REINSTALL
from mmpmg.version import __version__

WHEEL, OURS = "mmaction::", "mmpmg::"  # recipes inside the installed packages
LAUNCHERS = ("none", "pytorch", "slurm", "mpi")
MMENGINE_HOOKS = (
    "runtime_info",
    "timer",
    "sampler_seed",
    "logger",
    "param_scheduler",
    "checkpoint",
)


def add_shared_options(parser: argparse.ArgumentParser) -> None:
    """Options that every MMAction2 tool has, with MMAction2's meaning."""
    parser.add_argument(
        "config", help="recipe: a file, or PACKAGE::FOLDER/NAME.py of mmpmg or mmaction"
    )
    parser.add_argument("--work-dir", help="folder for logs and checkpoints")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=RecipeChanges,
        help="changes to the recipe, e.g. train_dataloader.batch_size=16",
    )
    parser.add_argument("--launcher", choices=LAUNCHERS, default="none", help="job launcher")
    # torchrun hands it over as an option or in the environment, depending on its version.
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help="set by torchrun")


def load_recipe(options: argparse.Namespace) -> Config:
    """Read a recipe and apply the shared options.

    Args:
        options: ``config`` (see :func:`recipe_file`), ``work_dir``, ``cfg_options``, ``launcher``,
            ``local_rank``.

    Returns:
        The config, with ``work_dir`` set: option, else recipe, else :func:`default_work_dir`.

    Raises:
        FileNotFoundError: No such recipe.
        ValueError: A change reaches nothing, see :func:`.recipe_changes.check_changes`.
    """
    file = recipe_file(options.config)
    os.environ.setdefault("LOCAL_RANK", str(options.local_rank))
    try:
        config = Config.fromfile(file)
    except AttributeError as error:
        lacking = re.search(r"'(?:Config|ConfigDict)' object has no attribute '(\w+)'", str(error))
        if lacking is None or _of_a_module(error):
            raise
        raise ValueError(
            f"{options.config} takes {lacking[1]} from a recipe that has none. Some recipes of "
            "MMAction2, VideoMAE's among them, are for testing only: docs/mixing_in.md shows what "
            "a recipe of your own adds to train them"
        ) from error
    if options.cfg_options is not None:
        check_changes(config, options.cfg_options)
        if any(key.startswith("compile.") for key in options.cfg_options):
            config.compile = {}  # MMEngine takes a bool or a dict, but merges none into the other
        config.merge_from_dict(options.cfg_options)
    check_names(config)
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        loader = config.get(name)
        if loader and not loader.get("num_workers"):
            loader.persistent_workers = False  # torch refuses True, and there is nothing to persist
    config.launcher = options.launcher
    if options.work_dir is not None:
        config.work_dir = options.work_dir
    elif config.get("work_dir") is None:
        config.work_dir = str(default_work_dir(file))
    return config


def _of_a_module(error: AttributeError) -> bool:
    """Whether a module that a recipe imports took what a config lacks, and not the recipe."""
    frame, last = error.__traceback__, None
    while frame is not None:
        names = frame.tb_frame.f_globals
        if not names.get("__name__", "").startswith("mmengine.config."):
            last = names
        frame = frame.tb_next
    # MMEngine runs a recipe as text: no import gave it a __spec__.
    return last is not None and last is not globals() and last.get("__spec__") is not None


def default_work_dir(file: Path) -> Path:
    """Return where a recipe's logs and checkpoints go unless somebody says otherwise.

    Recipes of one name stand in several folders (``finetune``, ``linear_probe``, ``videomae``):
    the folder belongs to the name.

    Args:
        file: The recipe.

    Returns:
        ``work_dirs/FOLDER/NAME`` for ``.../configs/FOLDER/NAME.py``, else ``work_dirs/NAME``.
    """
    parts = file.absolute().with_suffix("").parts
    if "configs" in parts[:-1]:
        last = len(parts) - 1 - parts[:-1][::-1].index("configs") - 1
        return Path("work_dirs", *parts[last + 1 :])
    return Path("work_dirs", parts[-1])


def recipe_file(name: str) -> Path:
    """Find a recipe: a path, or ``mmpmg::``, ``mmaction::FOLDER/NAME.py`` for one of the package.

    Raises:
        FileNotFoundError: There is none.
    """
    if not name.startswith((WHEEL, OURS)):
        if not os.path.isfile(name):  # False of a name that no system takes, too
            folder = recipe_folder()
            raise FileNotFoundError(
                f"no recipe at {name}; ours are named {OURS}FOLDER/NAME.py, in a clone "
                f"configs/FOLDER/NAME.py, those of MMAction2 {WHEEL}FOLDER/NAME.py"
                + (_near_files(name, folder, typed.recipe(""), "*/*.py") if folder else "")
            )
        return Path(name)
    package, _, place = name.partition("::")
    folder = (
        recipe_folder() if package == "mmpmg" else Path(mmaction.__file__).parent / ".mim/configs"
    )
    if folder is None:
        raise FileNotFoundError(
            f"no recipe {name}: this mmpmg was installed without its recipes; type: {REINSTALL}"
        )
    file = folder / place
    # Resolved as written: the links of an editable install are inside, "..", "/" are not.
    inside = Path(os.path.normpath(file)).is_relative_to(folder)
    if inside and os.path.isdir(file):
        raise FileNotFoundError(f"no recipe {name}: a folder, with {', '.join(_below(file))}")
    if not inside or file.suffix != ".py" or not os.path.isfile(file):
        pattern = "*/*.py" if package == "mmpmg" else "*/*/*.py"
        near = _near_files(place, folder, f"{package}::", pattern)
        raise FileNotFoundError(f"no recipe {name} in {folder}{near}")
    return file


def _below(folder: Path) -> list[str]:
    """Name the recipes of a folder, or its folders where recipes are in those."""
    found = list(folder.glob("*.py")) or [path for path in folder.iterdir() if path.is_dir()]
    return sorted(path.name for path in found if path.name != "_base_")  # parts of recipes


def _near_files(name: str, folder: Path, before: str, pattern: str) -> str:
    """Name recipes like one that does not exist: of its file's name, then of its whole path."""
    there: dict[str, list[str]] = {}
    for path in sorted(folder.glob(pattern)):
        place = str(path.relative_to(folder))
        if not place.startswith("_base_"):  # parts of recipes
            there.setdefault(path.name, []).append(place)
    files = get_close_matches(Path(name).name, there, n=3, cutoff=0.5)
    places = [place for file in files for place in there[file]]
    near = get_close_matches("/".join(Path(name).parts[-2:]), places, n=3, cutoff=0.0)
    return f"; near it are {', '.join(before + place for place in near)}" if near else ""


def build_runner(config: Config) -> Runner | FlexibleRunner:
    """Build the recipe's runner; on a machine without a GPU, with what MMEngine lacks there.

    MMEngine starts every distributed run with ``torch.cuda.set_device`` and wraps the model for
    that device. Without a GPU the gloo group is started first and the wrapper told of no device.
    What it writes of the recipe can be run again, see :mod:`.ordered_config`.

    Args:
        config: A recipe with ``launcher`` and ``work_dir``; ``runner_type="FlexibleRunner"`` and
            ``strategy`` for models that are spread over GPUs.

    Returns:
        A runner, ready for ``train``, ``val`` or ``test``.

    Raises:
        ValueError: A strategy in a recipe of the plain ``Runner``, which would not look at it, or
            one that needs processes which no launcher started.
    """
    kind = config.get("runner_type", "Runner")
    strategy = (config.get("strategy") or {}).get("type")
    if strategy and kind != "FlexibleRunner":
        raise ValueError(
            f"strategy {strategy} is ignored by {kind}; set runner_type='FlexibleRunner'"
        )
    if strategy and strategy != "SingleDeviceStrategy" and config.launcher == "none":
        raise ValueError(
            f"strategy {strategy} needs a launcher, also for one process: tools/dist_train.sh "
            "RECIPE NUMBER_OF_GPUS"
        )
    if config.launcher != "none" and not torch.cuda.is_available():
        _start_gloo(config.launcher)
        if kind == "Runner":
            wrapper = config.get("model_wrapper_cfg") or {}
            config.model_wrapper_cfg = dict(
                dict(type="MMDistributedDataParallel"), **wrapper, device_ids=None
            )
    _leave_out_hooks(config)
    with mistyped_keys_named(config):
        runner = RUNNERS.get(kind).from_cfg(OrderedConfig.of(config))
        # Threads of OpenCV do not survive the fork of a data worker, which then waits for them for
        # ever; only 1 ends them, MMEngine's 0 leaves them where they are.
        cv2.setNumThreads(1)
        silence_noise(runner.logger)
        print_log(f"mmpmg {__version__}, commit {commit()}", logger="current")
        if isinstance(runner.model, dict):
            # A FlexibleRunner would build it when training starts: too late to look at it.
            runner.model = MODELS.build(runner.model)
        return runner


def _leave_out_hooks(config: Config) -> None:
    """Drop the default hooks that a recipe sets to None; MMEngine takes None for its own alone."""
    hooks = config.get("default_hooks") or {}
    for name in [n for n, hook in hooks.items() if hook is None and n not in MMENGINE_HOOKS]:
        del hooks[name]


def _start_gloo(launcher: str) -> None:
    """Start the process group on CPUs, from what each launcher says of rank and size."""
    if distributed.is_initialized():
        return
    if launcher == "slurm":
        first = subprocess.run(
            ["scontrol", "show", "hostname", os.environ["SLURM_NODELIST"]],
            capture_output=True, text=True, check=True,
        ).stdout.split()[0]  # fmt: skip
        os.environ.setdefault("MASTER_ADDR", first)
        os.environ.setdefault("MASTER_PORT", "29500")
        os.environ["RANK"] = os.environ["SLURM_PROCID"]
        os.environ["WORLD_SIZE"] = os.environ["SLURM_NTASKS"]
    elif launcher == "mpi":
        os.environ["RANK"] = os.environ["OMPI_COMM_WORLD_RANK"]
        os.environ["WORLD_SIZE"] = os.environ["OMPI_COMM_WORLD_SIZE"]
        if "MASTER_ADDR" not in os.environ:
            raise KeyError("MASTER_ADDR is not set: export the address of rank 0's machine")
        os.environ.setdefault("MASTER_PORT", "29500")
    distributed.init_process_group("gloo")
