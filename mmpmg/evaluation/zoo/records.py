"""What was run and published here: the part of the zoo that people write, ``zoo/records.yml``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmpmg.evaluation.paper_numbers import SCRATCH
from mmpmg.evaluation.zoo.yaml_files import parse_yaml

RECORDS = "zoo/records.yml"
PAGES = ("README.md", "docs")
"""Where our numbers are told with their commands; the zoo's own page is not among them."""
ZOO_PAGE = "docs/zoo.md"
CHUNK = 1 << 20

RESULT_KEYS = {"Recipe", "Pre-training", "Metrics", "Row", "Note"}
MEASUREMENT_KEYS = {"Recipes", "Memory", "Speed", "Row"}
PUBLISHED_KEYS = {"Recipe", "Pre-training", "Files", "Training Log"}
FILE_KEYS = {"Where", "SHA256"}


class Result(NamedTuple):
    """Numbers of ours, for which some page has the command.

    Attributes:
        recipe: Fine-tuning, probing or evaluation.
        pretraining: Recipe of the encoder, or "scratch".
        metrics: Name, such as "Top 1 Accuracy" -> value, in percent where it is a share.
        row: How the table's row begins that has the numbers.
        note: What was not as in the recipes; "" for nothing.
    """

    recipe: str
    pretraining: str
    metrics: Mapping[str, float]
    row: str
    note: str


class Measurement(NamedTuple):
    """Memory or speed of a training step, from a table of a page.

    Attributes:
        recipes: Whose step it is.
        memory: In words, with the batch; "" unless measured.
        speed: In words, with the machine; "" unless measured.
        row: How the table's row begins that has the numbers.
    """

    recipes: tuple[str, ...]
    memory: str
    speed: str
    row: str


class WeightFile(NamedTuple):
    """A published file.

    Attributes:
        where: URL, or path from the repository's root.
        sha256: Of its bytes, 64 hexadecimal digits.
    """

    where: str
    sha256: str


class Published(NamedTuple):
    """Weights that anybody can take.

    Attributes:
        recipe: What trained them last.
        pretraining: Recipe of the encoder that it began with; "" for none.
        files: The same weights, .pth first, since that is what MMEngine and MIM load.
        log: URL or path of the training log; "" for none.
    """

    recipe: str
    pretraining: str
    files: tuple[WeightFile, ...]
    log: str


class Records(NamedTuple):
    """All of ``zoo/records.yml``."""

    results: tuple[Result, ...]
    measurements: tuple[Measurement, ...]
    published: tuple[Published, ...]


def read_records(root: Path) -> Records:
    """Read what was run and published.

    Args:
        root: Of the repository.

    Raises:
        ValueError: The file is missing or not of its form; the message names the place.
    """
    path = root / RECORDS
    if not path.is_file():
        raise ValueError(
            f"{RECORDS} is not below {root}: the zoo is kept in a checkout of the repository, "
            "and an installed package has only what was made of it, model-index.yml"
        )
    content = parse_yaml(path.read_bytes(), RECORDS)
    lists = {"Results", "Measurements", "Published"}
    if not isinstance(content, dict) or set(content) != lists:
        raise ValueError(f"{RECORDS} must have the lists {', '.join(sorted(lists))}, and only them")
    for name, nodes in content.items():
        if not isinstance(nodes or [], list):
            raise ValueError(f"{RECORDS}: {name} is {nodes!r}, and must be a list of records")
    results = tuple(_result(node) for node in content["Results"] or ())
    published = tuple(_published(node) for node in content["Published"] or ())
    for items, name in ((results, "Results"), (published, "Published")):
        pairs = [(item.recipe, item.pretraining) for item in items]
        if twice := sorted({pair for pair in pairs if pairs.count(pair) > 1}):
            raise ValueError(
                f"{RECORDS}, {name}: {twice[0][0]} after {twice[0][1] or 'no pre-training'} stands "
                "twice; keep one of the two"
            )
    measurements = tuple(_measurement(node) for node in content["Measurements"] or ())
    return Records(results, measurements, published)


def _result(node: Any) -> Result:
    _expect(node, RESULT_KEYS, {"Recipe", "Metrics", "Row"}, "Results")
    metrics = node["Metrics"]
    if not isinstance(metrics, dict) or not metrics:
        raise ValueError(f"{RECORDS}, Results: Metrics={metrics!r} must be NAME: NUMBER lines")
    for name, value in metrics.items():
        if type(value) not in (int, float):
            raise ValueError(
                f"{RECORDS}, Results: {name} of {node['Recipe']} is {value!r}, and must be a number"
            )
    pretraining = node.get("Pre-training", SCRATCH)
    return Result(node["Recipe"], pretraining, metrics, node["Row"], node.get("Note", ""))


def _measurement(node: Any) -> Measurement:
    _expect(node, MEASUREMENT_KEYS, {"Recipes", "Row"}, "Measurements")
    recipes, told = node["Recipes"], (node.get("Memory", ""), node.get("Speed", ""))
    if not isinstance(recipes, list) or not all(isinstance(name, str) for name in recipes):
        raise ValueError(f"{RECORDS}, Measurements: Recipes is {recipes!r}, and must be a list")
    for text in filter(None, told):
        if not re.match(r"\d", text):
            raise ValueError(
                f"{RECORDS}, Measurements: {text!r} must begin with its number, which the check "
                "looks for in the row"
            )
    return Measurement(tuple(recipes), *told, node["Row"])


def _published(node: Any) -> Published:
    _expect(node, PUBLISHED_KEYS, {"Recipe", "Files"}, "Published")
    if not isinstance(node["Files"], list) or not node["Files"]:
        raise ValueError(f"{RECORDS}, Published: {node['Recipe']} has no Files; list Where, SHA256")
    files = []
    for file in node["Files"]:
        _expect(file, FILE_KEYS, FILE_KEYS, "Published, Files")
        where, digest = str(file["Where"]), str(file["SHA256"])
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError(
                f"{RECORDS}: SHA256 of {where} is {digest!r}, and must be the 64 small "
                f"hexadecimal digits that `sha256sum {Path(where).name}` prints"
            )
        if digest[:8] not in Path(where).name:
            raise ValueError(
                f"{RECORDS}: the name of {where} lacks {digest[:8]}, the beginning of its SHA256, "
                "by which MIM checks a download; tools/publish_checkpoint.py names files so"
            )
        files.append(WeightFile(where, digest))
    return Published(
        node["Recipe"], node.get("Pre-training", ""), tuple(files), node.get("Training Log", "")
    )


def _expect(node: Any, known: set[str], needed: set[str], place: str) -> None:
    """Refuse a record that lacks a key, or has one that nobody would read."""
    if not isinstance(node, dict):
        raise ValueError(f"{RECORDS}, {place}: {node!r} is no record of {', '.join(sorted(known))}")
    wrong = sorted(needed - node.keys()) or sorted(node.keys() - known)
    if wrong:
        fault = "lacks" if needed - node.keys() else "has the unknown key"
        raise ValueError(
            f"{RECORDS}, {place}: {node} {fault} {', '.join(wrong)}; known are "
            f"{', '.join(sorted(known))}"
        )
    for key, value in node.items():
        if key not in ("Metrics", "Recipes", "Files", "SHA256") and not isinstance(value, str):
            raise ValueError(f"{RECORDS}, {place}: {key} is {value!r}, and must be text")


def file_problem(root: Path, file: WeightFile) -> str | None:
    """Say what is wrong with a published file that lies in the repository.

    Args:
        root: Of the repository.
        file: The file; one with a URL is not fetched.

    Returns:
        A sentence; None where nothing is wrong.
    """
    if is_url(file.where):
        return None
    path = root / file.where
    if not path.is_file():
        return f"{RECORDS}: {file.where} does not exist; put it there, or give its URL"
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() == file.sha256:
        return None
    return (
        f"{RECORDS}: {file.where} has the sha256 {digest.hexdigest()}, not {file.sha256}: it is "
        "damaged, or was changed; publish it anew with tools/publish_checkpoint.py"
    )


def is_url(where: str) -> bool:
    """Whether a place is on the web rather than in the repository."""
    return re.match(r"https?://", where) is not None


def spellings(value: float) -> tuple[str, str]:
    """Write a number as pages print it: in percent as it is, or as a share of one."""
    return str(value), f"{value / 100:.3f}"


def page_of(root: Path, row: str, numbers: Iterable[tuple[str, ...]]) -> str | None:
    """Find the page that has a table's row with these numbers.

    Args:
        root: Of the repository.
        row: How it begins, behind the first bar.
        numbers: What else must stand in it, each in one of its spellings.

    Returns:
        The page's path from the root; None where no page has it.
    """
    pages = [root / PAGES[0], *sorted((root / PAGES[1]).rglob("*.md"))]
    wanted = [
        re.compile(rf"(?<![\d.])({'|'.join(map(re.escape, number))})(?![\d]|\.\d)")
        for number in numbers
    ]
    for page in pages:
        if page == root / ZOO_PAGE or not page.is_file():
            continue
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.removeprefix("|").strip().startswith(row) and all(
                number.search(line) for number in wanted
            ):
                return page.relative_to(root).as_posix()
    return None
