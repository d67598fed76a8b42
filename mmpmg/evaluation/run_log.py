"""What a work dir tells of its run: recipe, curves, accuracies, where its encoder came from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .log_curves import ACCURACY, Curve, curves_of, finite, not_finite, read_records
from .printable import printable
from .recipe_names import flat, recipe_of

ENVIRONMENT = ("Python", "CUDA available", "GPU", "PyTorch", "OpenCV", "MMEngine", "mmpmg")


@dataclass(frozen=True, eq=False)
class Run:
    """One work dir, as far as it can be read.

    Attributes:
        folder: The work dir.
        name: Its own name, made unlike the others' by :func:`read_runs`.
        problems: What is wrong with it, in sentences; empty where nothing is.
        recipe: Such as "finetune/vit-b_ucf101"; the bare name for a recipe that is not ours; "".
        config: What was run, changes included; None where it cannot be read.
        loaded: Recipe of the pre-training that it started from; "scratch"; or the name of a file
            beside which no recipe lies. None for a run whose config cannot be read.
        pretraining: Config of that pre-training, where it lies beside the encoder.
        loss: (epochs, values) while training.
        accuracy: (epochs, percent) of validation.
        tested: Top-1 in percent of the last ``tools/test.py`` in this folder; None: not tested
            since it was last trained.
        environment: Versions and devices, from the log's head.
        date: When it began, as ``YYYY-MM-DD HH:MM``; "".
    """

    folder: Path
    name: str
    problems: tuple[str, ...] = ()
    recipe: str = ""
    config: Config | None = None
    loaded: str | None = None
    pretraining: Config | None = None
    loss: Curve = field(default_factory=lambda: ([], []))
    accuracy: Curve = field(default_factory=lambda: ([], []))
    tested: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    date: str = ""

    @property
    def is_pretraining(self) -> bool:
        """True for a run without classes: it predicts what is masked, or trains a tokenizer."""
        return self.config is not None and _pretrains(self.config)

    @property
    def same_steps(self) -> str:
        """The recipe whose steps it takes: that on one GPU takes those of eight."""
        return self.recipe.removesuffix("_1gpu")

    @property
    def epochs(self) -> int | None:
        """Epochs that the recipe asks for."""
        return max_epochs(self.config)

    @property
    def epochs_done(self) -> float:
        """Epochs up to the last entry of the log."""
        return max([*self.loss[0], *self.accuracy[0], 0.0])

    @property
    def best(self) -> float | None:
        """Highest validation accuracy, in percent; None where no epoch has a finite one."""
        return max(finite(self.accuracy)[1], default=None)

    @property
    def last(self) -> float | None:
        """Validation accuracy of the last validated epoch, in percent; None: not finite."""
        last = self.accuracy[1][-1:]
        return last[0] if last and math.isfinite(last[0]) else None


def read_run(folder: str | Path, name: str = "") -> Run:
    """Read a work dir; whatever is missing or broken in it becomes a sentence, not an error.

    Args:
        folder: A run's work_dir.
        name: What to call it; empty: the folder's name.

    Returns:
        The run.
    """
    folder = Path(folder)
    name = printable(name or folder.resolve().name)
    if not folder.is_dir():
        return Run(folder, name, (printable(f"there is no folder {folder}"),))
    problems: list[str] = []
    starts = sorted(path.parent for path in folder.glob("*/vis_data"))
    trained = [start for start in starts if (start / "vis_data" / "scalars.json").is_file()]
    if not trained:
        what = "began but logged nothing" if starts else "holds no run"
        problems.append(f"{folder} {what}: no */vis_data/scalars.json{_runs_below(folder)}")
    config = _config(trained or starts, folder, problems)
    first = _config(trained[:1], folder, []) if trained else config
    records = list(read_records(trained, problems))
    loss, accuracy = curves_of(records)
    problems += not_finite("loss", loss) + not_finite("validation accuracy", accuracy)
    loaded, pretraining = _pretraining(first)
    # A test tells of the weights that there were: none of what was trained after it.
    tested = _tested([start for start in starts if not trained or start > trained[-1]])
    if tested is not None and not math.isfinite(tested):
        problems.append(f"the accuracy of its test is {tested}, and left out")
        tested = None
    elif tested is None and (stale := _tested(starts)) is not None:
        problems.append(f"its test ({stale:.1f} %) is older than its last training, and left out")
    run = Run(
        folder, name, tuple(map(printable, problems)), recipe_of(config, folder), config, loaded,
        pretraining, loss, accuracy, tested, _environment(trained or starts),
        _date(trained or starts),
    )  # fmt: skip
    if trained and run.epochs and run.epochs_done < run.epochs:
        unfinished = f"unfinished: {run.epochs_done:.4g} of {run.epochs} epochs"
        return Run(**{**vars(run), "problems": (*run.problems, unfinished)})
    return run


def _runs_below(folder: Path) -> str:
    """Name the runs in a folder of runs, where a run was expected."""
    below = sorted({str(path.parents[1]) for path in folder.glob("*/*/vis_data")})
    shown = ", ".join(below[:3]) + (", ..." if len(below) > 3 else "")
    return f"; its folders do: {shown}" if below else ""


def read_runs(folders: list[str] | list[Path]) -> list[Run]:
    """Read work dirs, with names that differ: the parts of their paths that do.

    ``work_dirs/pmg/A/finetune/X`` and ``work_dirs/pmg/B/finetune/X`` are A and B.

    Args:
        folders: At least one; ``NAME=WORK_DIR`` gives a name.

    Returns:
        A run for each, in this order; a folder that is named twice counts once.

    Raises:
        ValueError: Two work dirs of one given name.
    """
    given = {path: name for name, path in map(_named_folder, folders)}
    short = dict(zip(given, _short_names(list(given)), strict=True))
    names = {path: name or short[path] for path, name in given.items()}
    twice = {name for name in names.values() if list(names.values()).count(name) > 1}
    if twice:
        raise ValueError(
            f"several work dirs are named {', '.join(sorted(twice))}: NAME=WORK_DIR gives each a "
            "name of its own"
        )
    return [read_run(path, name) for path, name in names.items()]


def _named_folder(text: str | Path) -> tuple[str, Path]:
    """Part ``NAME=WORK_DIR``; a folder whose own path holds an equals sign stays whole."""
    name, equals, folder = str(text).partition("=")
    if not equals or "/" in name or Path(text).is_dir():
        return "", Path(text).resolve()
    return name, Path(folder).resolve()


def _short_names(paths: list[Path]) -> list[str]:
    depth = 1
    while len({path.parts[-depth:] for path in paths}) < len(paths):
        depth += 1
    ends = [path.parts[-depth:] for path in paths]
    same = {len(each) for each in ends} == {depth} and len(ends) > 1
    told = [k for k in range(depth) if not same or len({end[k] for end in ends}) > 1]
    return ["/".join(end[k] for k in told if k < len(end)) for end in ends]


def _pretrains(config: Config) -> bool:
    """Tell pre-trainings by their masker or their name, and tokenizers by theirs."""
    name = str(config.model.type)
    return "masker" in config.model or name.endswith("Pretrainer") or name.startswith("VQVAE")


def training_set(config: Config | None) -> Mapping[str, Any]:
    """Return what a config says of its training set; nothing where it has none, or a list."""
    loader = config.get("train_dataloader") if config is not None else None
    dataset = loader.get("dataset") if isinstance(loader, dict) else None
    return dataset if isinstance(dataset, dict) else {}


def max_epochs(config: Config | None) -> int | None:
    """Return the epochs that a config asks for; None where it does not say."""
    loop = config.get("train_cfg") if config is not None else None
    epochs = loop.get("max_epochs") if isinstance(loop, dict) else None
    return epochs if isinstance(epochs, int) else None


def _config(starts: list[Path], folder: Path, problems: list[str]) -> Config | None:
    """Read what the last start ran, which is dumped beside its log."""
    candidates = [start / "vis_data" / "config.py" for start in reversed(starts)]
    candidates += sorted(folder.glob("*.py"))
    for path in candidates:
        if not path.is_file():
            continue
        try:
            config = Config.fromfile(path, import_custom_modules=False)
        except Exception as error:  # it is a program, so anything may go wrong
            problems.append(f"{path} is no recipe ({type(error).__name__}: {error})")
            continue
        if isinstance(config.get("model"), dict) and config.model.get("type"):
            return config
        problems.append(f"{path} is no recipe (it has no model.type)")
    if starts:
        problems.append(f"{folder} has no config.py: its recipe is unknown")
    return None


def _tested(starts: list[Path]) -> float | None:
    """Read what ``tools/test.py`` logged, outside of training."""
    for start in reversed(starts):
        if (start / "vis_data" / "scalars.json").is_file():
            continue
        try:
            record = json.loads((start / f"{start.name}.json").read_text().splitlines()[-1])
            return 100 * float(record[ACCURACY])
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            continue
    return None


def _pretraining(config: Config | None) -> tuple[str | None, Config | None]:
    """Find out what a run started from."""
    if config is None:
        return None, None
    file = config.get("load_from")
    if not file:
        return "scratch", None
    folder = Path(str(file)).parent
    source = _config(sorted(p.parent for p in folder.glob("*/vis_data")), folder, [])
    if source is None or not _pretrains(source):
        return printable(str(file)), None
    return recipe_of(source, folder), source


def _environment(starts: list[Path]) -> dict[str, str]:
    """Read versions and devices from the head of the last log."""
    for log in [start / f"{start.name}.log" for start in reversed(starts)]:
        if log.is_file():
            with log.open(errors="replace") as file:
                head = file.read(200_000)  # the recipe stands between the two
            system = head.split("Runtime environment:")[0]
            found = re.findall(r"^    ([\w ,]+): (.+)$", system, re.MULTILINE)
            told = {key: text.split(" (")[0] for key, text in found if key.startswith(ENVIRONMENT)
                    and "compiling" not in key}  # fmt: skip
            ours = re.search(r" - mmpmg (\S+, commit .+)$", head, re.MULTILINE)
            return told | ({"mmpmg": ours[1]} if ours else {})
    return {}


def _date(starts: list[Path]) -> str:
    stamp = (
        re.fullmatch(r"(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)\d\d", starts[0].name) if starts else None
    )
    return "{}-{}-{} {}:{}".format(*stamp.groups()) if stamp else ""


def changed_keys(runs: list[Run]) -> dict[str, list[str]]:
    """Compare the configs of runs.

    Args:
        runs: Those without a config are shown empty.

    Returns:
        Dotted key -> what each run has there, only where they differ; "—" where it has none. What
        they started from comes first.
    """
    tables = [flat(run.config) for run in runs]
    keys = sorted({key for table, run in zip(tables, runs, strict=True)
                   if run.config is not None for key in table})  # fmt: skip
    rows = {key: [table.get(key, "—") for table in tables] for key in keys}
    rows = {"(pre-training)": [run.loaded or "—" for run in runs], **rows}
    known = [k for k, run in enumerate(runs) if run.config is not None]
    return {key: row for key, row in rows.items() if len({row[k] for k in known}) > 1}
