"""What a study compares, read from ``studies/NAME.yml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmpmg.evaluation.recipe_names import recipe_folder
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.fields import Fields, nearest
from mmpmg.evaluation.zoo.yaml_files import parse_yaml

OWN, NONE = "own", "none"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")


@dataclass(frozen=True)
class Lists:
    """Annotation files of a fold, with ``{fold}`` to fill in."""

    train: str
    test: str


@dataclass(frozen=True)
class Size:
    """How large a study is run: on two cores, on one GPU.

    Args:
        name: "cpu", "gpu" or what the declaration calls it.
        pretrain: Recipe that the arms change.
        finetune: Recipe that follows each pre-training.
        clips: Budgets: clips seen in pre-training, equal for all arms, each >= 1.
        seeds: ``randomness.seed`` of pre-training and fine-tuning.
        folds: Numbers for ``{fold}`` in the lists.
        lists: Annotation files of the folds.
        threads: Threads of torch in a cell; fixed, as sums of floats depend on it. >= 1.
    """

    name: str
    pretrain: str
    finetune: str
    clips: tuple[int, ...]
    seeds: tuple[int, ...]
    folds: tuple[int, ...]
    lists: Lists
    threads: int = 1


@dataclass(frozen=True)
class Arm:
    """One line of the comparison.

    Args:
        name: Also its folder.
        pretrain: "own", "none" (from scratch), or the arm whose pre-training it fine-tunes.
        recipe: Size -> pre-training recipe in place of the size's; empty for that one.
        change: Merged into the pre-training recipe, as a recipe that inherits from it would be.
        finetune_change: The same for the fine-tuning recipe.
        lists: Annotation files in place of the size's.
        paper: Column of the paper's table -> its number in per cent.
    """

    name: str
    pretrain: str = OWN
    recipe: Mapping[str, str] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    finetune_change: Mapping[str, Any] = field(default_factory=dict)
    lists: Lists | None = None
    paper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A declaration.

    Args:
        file: Where it stands; its name without ending is the study's.
        question: What it asks, a sentence.
        paper: The table that it follows; "".
        sizes: By name.
        reference: Arm that paired differences are taken against.
        arms: By name, in the declared order.
    """

    file: Path
    question: str
    paper: str
    sizes: Mapping[str, Size]
    reference: str
    arms: Mapping[str, Arm]

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.file.stem

    def size(self, name: str) -> Size:
        """Return a size.

        Raises:
            StudyError: There is none of that name.
        """
        if name not in self.sizes:
            raise StudyError(
                f"--size {name}: {self.file} declares {', '.join(self.sizes)}"
                f"{nearest(name, self.sizes)}"
            )
        return self.sizes[name]


def study_file(name: str) -> Path:
    """Find a declaration: a path, or the name of one of ours in ``studies/``.

    Raises:
        StudyError: There is none.
    """
    if Path(name).is_file():
        return Path(name)
    configs = recipe_folder()
    ours = {} if configs is None else {f.stem: f for f in configs.parent.glob("studies/*.yml")}
    stem = Path(name).stem
    if stem in ours and Path(name).parent in (Path(), Path("studies")):
        return ours[stem]
    raise StudyError(
        f"no study at {name}; ours are {', '.join(sorted(ours)) or 'not installed'}"
        f"{nearest(stem, ours)}"
    )


def read_study(path: str | Path) -> Study:
    """Read a declaration, and see that it is one.

    Args:
        path: A file, or the name of one of ours, see :func:`study_file`.

    Raises:
        StudyError: It is none; the message names file, key and what is allowed.
    """
    file = study_file(str(path))
    if not _NAME.fullmatch(file.stem):
        raise StudyError(f"{file}: the name of a study is of letters, digits and + . _ -")
    try:
        content = parse_yaml(file.read_text(), str(file))
    except (ValueError, OSError) as error:
        raise StudyError(str(error)) from None
    top = Fields(str(file), "", content)
    shared = _Grid.of(top, None)
    sizes = {
        name: _size(name, fields, shared) for name, fields in top.entries("sizes", _NAME).items()
    }
    arms = {
        name: _arm(name, fields, list(sizes)) for name, fields in top.entries("arms", _NAME).items()
    }
    reference = top.text("reference")
    if reference not in arms:
        raise top.wrong("reference", reference, f"one of the arms: {', '.join(arms)}", arms)
    study = Study(file, top.text("question"), top.text("paper", ""), sizes, reference, arms)
    top.finish()
    for arm in arms.values():
        source = arms.get(arm.pretrain)
        if arm.pretrain not in (OWN, NONE) and (source is None or source.pretrain != OWN):
            allowed = [name for name, other in arms.items() if other.pretrain == OWN]
            raise StudyError(
                f"{file}: arms.{arm.name}.pretrain is {arm.pretrain!r}; it must be {NONE!r}, or an "
                f"arm with a pre-training of its own: {', '.join(allowed)}"
                f"{nearest(arm.pretrain, allowed)}"
            )
    for size in sizes.values():
        for lists in (size.lists, *(arm.lists for arm in arms.values() if arm.lists)):
            alike = [part for part in (lists.train, lists.test) if "{fold}" not in part]
            if len(size.folds) > 1 and len(alike) == 2:
                raise StudyError(
                    f"{file}: lists must hold {{fold}} where there are several folds, or all folds "
                    f"are the same: {', '.join(alike)}"
                )
    return study


@dataclass(frozen=True)
class _Grid:
    """Seeds, folds and lists, for all sizes or of one."""

    seeds: tuple[int, ...] | None
    folds: tuple[int, ...] | None
    lists: Lists | None

    @classmethod
    def of(cls, fields: Fields, shared: _Grid | None) -> _Grid:
        seeds, folds = fields.numbers("seeds", 0), fields.numbers("folds", 0)
        lists = _lists(fields)
        if shared is None:
            return cls(seeds, folds, lists)
        return cls(seeds or shared.seeds, folds or shared.folds, lists or shared.lists)


def _size(name: str, fields: Fields, shared: _Grid) -> Size:
    grid = _Grid.of(fields, shared)
    clips, threads = fields.numbers("clips", 1), fields.numbers("threads", 1, several=False)
    for key in ("seeds", "folds", "lists"):
        if getattr(grid, key) is None:
            raise StudyError(f"{fields.file}: {key} is missing, at the top or in {fields.path}")
    if clips is None:
        raise fields.wrong("clips", None, "a list of budgets, in clips seen, such as [15000]")
    assert grid.seeds and grid.folds and grid.lists
    size = Size(
        name, fields.text("pretrain"), fields.text("finetune"), clips, grid.seeds, grid.folds,
        grid.lists, threads[0] if threads else 1,
    )  # fmt: skip
    fields.finish()
    return size


def _arm(name: str, fields: Fields, sizes: list[str]) -> Arm:
    recipe = fields.texts_by("recipe", sizes)
    paper = {}
    for column, number in fields.mapping("paper").items():
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise fields.wrong(f"paper.{column}", number, "a number in per cent")
        paper[str(column)] = float(number)
    pretrain = fields.text("pretrain", OWN)
    arm = Arm(
        name, pretrain, recipe, fields.mapping("change"), fields.mapping("finetune_change"),
        _lists(fields), paper,
    )  # fmt: skip
    if pretrain != OWN and (recipe or arm.change):
        raise StudyError(
            f"{fields.file}: {fields.path} has pretrain: {pretrain}, so that its recipe or change "
            "would be looked at by nobody; leave one of them out"
        )
    fields.finish()
    return arm


def _lists(fields: Fields) -> Lists | None:
    given = fields.mapping("lists")
    if not given:
        return None
    inner = Fields(fields.file, f"{fields.path}.lists".lstrip("."), given)
    lists = Lists(inner.text("train"), inner.text("test"))
    inner.finish()
    return lists
