"""The zoo's page and the short table for the README, made of what the metafiles say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmpmg.evaluation.timing import markdown_table
from mmpmg.evaluation.zoo.metafile import metafile_path, recipe_of_entry
from mmpmg.evaluation.zoo.methods import METHODS
from mmpmg.evaluation.zoo.records import ZOO_PAGE, is_url
from mmpmg.evaluation.zoo.results import NOT_RUN, PAPER
from mmpmg.evaluation.zoo.yaml_files import parse_metafile

SHORT_PAGE = "README.md"
BEGIN, END = "<!-- zoo: written by tools/model_zoo.py -->", "<!-- /zoo -->"
NONE = "none yet"
ABSENT = "–"
STATE_BEGIN, STATE_END = "<!-- zoo state: written by tools/model_zoo.py -->", "<!-- /zoo state -->"
NO_WEIGHTS = "**No weights are published yet.**"
SOME_WEIGHTS = 'Weights stand in the column "file" where they are published.'
HEAD = ["recipe", "parameters, M", "GFLOPs", "memory", "speed", "paper", "ours", "file", "sha256",
        "log"]  # fmt: skip
SHORT_HEAD = ["recipe", "encoder, M parameters", f"[GFLOPs]({ZOO_PAGE})", "paper", "ours", "file"]


def zoo_state(metafiles: Mapping[str, str]) -> str:
    """Say whether there are weights to take.

    Args:
        metafiles: Path -> text, as ``metafile_texts`` makes them.
    """
    entries = [entry for method in METHODS for entry in _entries(metafiles, method)]
    return (SOME_WEIGHTS if any("Weights" in entry for entry in entries) else NO_WEIGHTS) + "\n"


def zoo_tables(metafiles: Mapping[str, str]) -> str:
    """Lay out every recipe, a table for each method.

    A column without any value is left out. Where no recipe at all has one, that is said once, above
    the first table; else above the method's own.

    Args:
        metafiles: Path -> text, as ``metafile_texts`` makes them.
    """
    tables = {
        method: [_row(entry) for entry in _entries(metafiles, method)]
        for method in METHODS
        if metafile_path(method) in metafiles
    }
    nowhere = empty_columns(HEAD, [row for rows in tables.values() for row in rows])
    parts = [f"{columns_told('No recipe has a value yet', nowhere)}."] if nowhere else []
    for method, rows in tables.items():
        about, empty = METHODS[method], empty_columns(HEAD, rows)
        here = {name: placeholder for name, placeholder in empty.items() if name not in nowhere}
        told = f"; {columns_told('no value yet', here)}" if here else ""
        intro = (
            f"[{about.paper}]({about.url}); here: [{about.page}]({_from_docs(about.page)}){told}"
        )
        parts.append(f"### {about.title}\n\n{intro}\n\n{_filled_table(HEAD, rows, empty)}")
    return "\n\n".join(parts) + "\n"


def short_table(metafiles: Mapping[str, str]) -> str:
    """Lay out the recipes that stand for their methods, with what fine-tuning gives.

    Args:
        metafiles: Path -> text, as ``metafile_texts`` makes them.
    """
    rows = []
    for method, about in METHODS.items():
        found = {recipe_of_entry(entry): entry for entry in reversed(_entries(metafiles, method))}
        for name in about.shown:
            recipe = f"{method}/{name}"
            if recipe in found:
                entry = found[recipe]
                encoder = f"{entry['Metadata']['Encoder Parameters'] / 1e6:.1f}"
                cells = [f"`{recipe}`", encoder, _giga(entry["Metadata"]["FLOPs"])]
                fine_tuned = {**entry, "Results": list(filter(_plain, entry["Results"]))}
                told = [_papers(fine_tuned), _ours(fine_tuned, "docs/"), _file(entry, "")]
                rows.append([*cells, *told])
    empty = empty_columns(SHORT_HEAD, rows)
    note = f"\n{columns_told('No recipe here has a value yet', empty)}.\n" if empty else ""
    return _filled_table(SHORT_HEAD, rows, empty) + f"\n{note}"


def empty_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Find the columns that say nothing of any row.

    Args:
        head: Their names.
        rows: Cells.

    Returns:
        Name -> what stands in all of its cells.
    """
    columns = zip(head, zip(*rows, strict=True), strict=bool(rows))
    return {name: cells[0] for name, cells in columns if {*cells} <= {NOT_RUN, NONE, ABSENT}}


def columns_told(what: str, empty: Mapping[str, str]) -> str:
    """Name columns that are not drawn.

    Args:
        what: What is said of them.
        empty: Of `empty_columns`.
    """
    names = [name if cell == ABSENT else f"{name} ({cell})" for name, cell in empty.items()]
    return f"{what}: {', '.join(names)}"


def _filled_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], empty: Collection[str]
) -> str:
    """Lay out a table without its empty columns."""
    kept = [number for number, name in enumerate(head) if name not in empty]
    return markdown_table(
        [head[number] for number in kept], [[row[number] for number in kept] for row in rows]
    )


def with_table(page: str, table: str, begin: str = BEGIN, end: str = END) -> str:
    """Put a table between a page's marks.

    Args:
        page: Its text.
        table: What belongs between the marks.
        begin: The first mark.
        end: The other.

    Returns:
        The page; as it was where it has no marks.
    """
    before, begin, rest = page.partition(begin)
    _, end, after = rest.partition(end)
    return f"{before}{begin}\n\n{table}\n{end}{after}" if begin and end else page


def page_texts(root: Path, metafiles: Mapping[str, str]) -> dict[str, str]:
    """Renew the tables of the pages that have them.

    Args:
        root: Of the repository.
        metafiles: Path -> text, as ``metafile_texts`` makes them.

    Returns:
        Path from the root -> what the page must be.
    """
    texts = {}
    for place, table in ((ZOO_PAGE, zoo_tables), (SHORT_PAGE, short_table)):
        if (root / place).is_file():
            page = (root / place).read_text(encoding="utf-8")
            page = with_table(page, zoo_state(metafiles), STATE_BEGIN, STATE_END)
            texts[place] = with_table(page, table(metafiles))
    return texts


def _entries(metafiles: Mapping[str, str], method: str) -> list[dict[str, Any]]:
    place = metafile_path(method)
    return parse_metafile(metafiles.get(place, ""), place)["Models"]


def _plain(result: Mapping[str, Any]) -> bool:
    """Whether a result is of fine-tuning with nothing changed: there is room for no others."""
    return result["Recipe"].startswith("finetune/") and "(" not in result["Dataset"]


def _row(entry: Mapping[str, Any]) -> list[str]:
    data = entry["Metadata"]
    weights = [f"{data['Parameters'] / 1e6:.1f}"]
    if "Encoder Parameters" in data and data["Encoder Parameters"] != data["Parameters"]:
        weights.append(f"encoder {data['Encoder Parameters'] / 1e6:.1f}")
    digest, log = entry.get("SHA256"), entry.get("Training Log")
    return [
        f"`{recipe_of_entry(entry)}`",
        ", ".join(weights),
        _giga(data["FLOPs"]),
        data.get("Training Memory", NOT_RUN),
        data.get("Training Speed", NOT_RUN),
        _papers(entry),
        _ours(entry, ""),
        _file(entry, "../"),
        f"`{digest}`" if digest else ABSENT,
        _link("log", log, "../") if log else ABSENT,
    ]


def _giga(flops: int) -> str:
    billions = flops / 1e9
    return f"{billions:.0f}" if billions >= 10 else f"{billions:.2f}"


def _papers(entry: Mapping[str, Any]) -> str:
    told = []
    for result in entry["Results"]:
        numbers = [
            _number(metric.removeprefix(PAPER), value)
            for metric, value in result["Metrics"].items()
            if metric.startswith(PAPER)
        ]
        if numbers:
            told.append(f"{result['Dataset']} {', '.join(numbers)}")
    return "; ".join(told) or ABSENT


def _ours(entry: Mapping[str, Any], folder: str) -> str:
    """Tell our numbers, each with the page that has its command."""
    told = []
    for result in entry["Results"]:
        numbers = [
            _number(metric, value)
            for metric, value in result["Metrics"].items()
            if not metric.startswith(PAPER)
        ]
        if numbers:
            page = result["Ours"]
            place = _from_docs(page) if not folder else page
            told.append(f"[{result['Dataset']} {', '.join(numbers)}]({place})")
    return "; ".join(told) or NOT_RUN


def _number(metric: str, value: float) -> str:
    return str(value) if metric == "Top 1 Accuracy" else f"{metric} {value}"


def _file(entry: Mapping[str, Any], to_root: str) -> str:
    where = entry.get("Weights")
    return _link(Path(where).name, where, to_root) if where else NONE


def _link(text: str, where: str, to_root: str) -> str:
    return f"[{text}]({where if is_url(where) else to_root + where})"


def _from_docs(page: str) -> str:
    """Address a page of the repository from a page of ``docs/``."""
    return page.removeprefix("docs/") if page.startswith("docs/") else f"../{page}"
