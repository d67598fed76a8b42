"""What Something-Something V2's own files say of its videos."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .errors import stop_for
from .reading import find_file, read_json

NAMES = {
    "train": ["train.json", "something-something-v2-train.json"],
    "val": ["validation.json", "something-something-v2-validation.json"],
}


class Entry(NamedTuple):
    """One video of a list.

    Attributes:
        video: its number, which is its file's name.
        template: its class, without the brackets around the placeholders.
        where: file and entry that name it, for messages.
    """

    video: str
    template: str
    where: str


def read_entries(annotations: Path, part: str, remedy: str) -> list[Entry]:
    """Read ``train.json`` or ``validation.json``.

    Args:
        annotations: their folder.
        part: ``"train"`` or ``"val"``.
        remedy: what to do when they are wrong.

    Raises:
        PreparationError: the file is missing, or an entry lacks its id or template.
    """
    path = find_file(annotations, NAMES[part], remedy)
    found, problems = [], []
    for number, entry in enumerate(read_json(path, list), 1):
        where = f"{path}, entry {number}"
        try:
            found.append(Entry(str(entry["id"]), without_brackets(str(entry["template"])), where))
        except (KeyError, TypeError):
            problems.append(f"{where}: needs id and template: {entry}")
    stop_for(problems, remedy)
    return found


def without_brackets(template: str) -> str:
    """Return ``Putting something``, of ``Putting [something]``."""
    return template.replace("[", "").replace("]", "")


def plain(template: str) -> str:
    """Return a class name as it is compared: without brackets, case and spaces at the ends."""
    return without_brackets(template).strip().casefold()
