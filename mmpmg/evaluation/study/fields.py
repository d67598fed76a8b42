"""Reading a mapping of plain values; whatever is wrong with it becomes a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from mmpmg.evaluation.study.errors import StudyError

_REQUIRED = "\0"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)", or "" where nothing is near."""
    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


class Fields:
    """One mapping of a YAML file, read key by key; keys that nobody asked for are mistakes.

    Args:
        file: What to call the file.
        path: Dotted place of the mapping in it; "" for the top.
        content: The mapping; None counts as an empty one.

    Raises:
        StudyError: It is no mapping.
    """

    def __init__(self, file: str, path: str, content: Any) -> None:
        self.file, self.path = file, path
        if content is not None and not isinstance(content, Mapping):
            raise StudyError(
                f"{file}: {path or 'the file'} holds {content!r} where a mapping should be"
            )
        self.content: Mapping[Any, Any] = content or {}
        self.known: list[str] = []

    def wrong(self, key: str, value: Any, allowed: str, known: Iterable[str] = ()) -> StudyError:
        """Build the error for a value; None says that the key is missing."""
        place = f"{self.path}.{key}".lstrip(".")
        said = "is missing" if value is None else f"is {value!r}"
        near = nearest(value, known) if isinstance(value, str) else ""
        return StudyError(f"{self.file}: {place} {said}; it must be {allowed}{near}")

    def _get(self, key: str) -> Any:
        self.known.append(key)
        return self.content.get(key)

    def text(self, key: str, default: str = _REQUIRED) -> str:
        """Read a text."""
        value = self._get(key)
        if value is None and default is not _REQUIRED:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, value, "a text")
        return value.strip()

    def mapping(self, key: str) -> dict[str, Any]:
        """Read a mapping, empty where there is none; its own keys are not looked at."""
        value = self._get(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.wrong(key, value, "a mapping")
        return dict(value or {})

    def numbers(self, key: str, least: int, several: bool = True) -> tuple[int, ...] | None:
        """Read whole numbers, none twice; None where there are none.

        Args:
            key: Whose value is a list, or a number.
            least: The smallest one allowed.
            several: Whether a list is allowed.
        """
        value = self._get(key)
        if value is None:
            return None
        listed = value if isinstance(value, list) and several else [value]
        right = all(type(one) is int and one >= least for one in listed)
        if not listed or not right or len(set(listed)) < len(listed):
            what = "whole numbers, none twice, each" if several else "a whole number,"
            raise self.wrong(key, value, f"{what} {least} or more")
        return tuple(listed)

    def texts_by(self, key: str, names: list[str]) -> dict[str, str]:
        """Read a text for each name, or one for all; empty where there is none."""
        value = self._get(key)
        if value is None:
            return {}
        if isinstance(value, str):
            return dict.fromkeys(names, value)
        if not isinstance(value, Mapping):
            raise self.wrong(key, value, f"a text, or one for each of {', '.join(names)}")
        inner = Fields(self.file, f"{self.path}.{key}".lstrip("."), value)
        texts = {name: inner.text(name) for name in names}
        inner.finish()
        return texts

    def entries(self, key: str, pattern: re.Pattern[str]) -> dict[str, Fields]:
        """Read a mapping of mappings, at least one, whose names fit a pattern."""
        value = self._get(key)
        if not isinstance(value, Mapping) or not value:
            raise self.wrong(key, value, "a mapping with at least one entry")
        for name in value:
            if not isinstance(name, str) or not pattern.fullmatch(name):
                raise StudyError(
                    f"{self.file}: {key} has an entry {name!r}; it names a folder too, so it must "
                    "be of letters, digits and + . _ -, the first one a letter or digit"
                )
        return {
            name: Fields(self.file, f"{self.path}.{key}.{name}".lstrip("."), content)
            for name, content in value.items()
        }

    def finish(self) -> None:
        """Refuse keys that were not asked for.

        Raises:
            StudyError: There is one.
        """
        for key in self.content:
            if key not in self.known:
                place = f" in {self.path}" if self.path else ""
                raise StudyError(
                    f"{self.file}: {key!r}{place} is read by nobody"
                    f"{nearest(str(key), self.known)}; "
                    f"allowed are {', '.join(self.known)}"
                )
