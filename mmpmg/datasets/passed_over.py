"""What a reader passed over in an archive, and why: counted, with examples, said once."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from mmengine.logging import print_log

_EXAMPLES = 3

#: Reasons that are as they should be; all others are worth a warning.
NOT_AN_IMAGE = "no image by its ending"
HIDDEN = "hidden"
NO_MAIN_IMAGE = "a further image of its sample"
HARMLESS = (NOT_AN_IMAGE, HIDDEN, NO_MAIN_IMAGE)

LINK = "a link"
SPECIAL = "neither file nor folder"
SPARSE = "a sparse file"
OUTSIDE = "its path leaves the folder"
ENCRYPTED = "encrypted"
NESTED = "an archive inside the archive"
REPEATED = "replaced by a later member of the same name"
UNLABELLED = "its .cls is no whole number below 2^31"
TOO_LARGE = "larger than 1 GiB"
CUT_OFF = "its bytes lie outside the file"


class PassedOver:
    """The members of archives that are not used, by reason.

    Attributes:
        broken: archive -> why members of it may be missing: it was cut short or damaged.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, list[str]]] = {}
        self.broken: dict[str, str] = {}

    def add(self, reason: str, name: str) -> None:
        """Count a member, and keep its name as an example if it is one of the first."""
        count, examples = self._found.get(reason, (0, []))
        if count < _EXAMPLES:
            examples = [*examples, name]
        self._found[reason] = (count + 1, examples)

    def count(self, reason: str | None = None) -> int:
        """Return how many were passed over, for one reason or in all."""
        reasons = self._found if reason is None else [reason]
        return sum(self._found.get(one, (0, []))[0] for one in reasons)

    def __iter__(self) -> Iterator[tuple[str, int, list[str]]]:
        for reason, (count, examples) in sorted(self._found.items()):
            yield reason, count, examples

    def __str__(self) -> str:
        """``2 links (a.jpg, b.jpg); ...``, as one sentence's end; empty when nothing was."""
        return "; ".join(
            f"{count} {reason} ({', '.join(map(_printable, examples))}"
            f"{', ...' if count > len(examples) else ''})"
            for reason, count, examples in self
        )

    def merge(self, other: PassedOver) -> None:
        """Add what was found in another archive."""
        for reason, count, examples in other:
            had, names = self._found.get(reason, (0, []))
            self._found[reason] = (had + count, [*names, *examples][:_EXAMPLES])
        self.broken.update(other.broken)

    def tell(self, what: str) -> None:
        """Write one line to the log, a warning if anything is not as it should be.

        Args:
            what: the archives, for the line's beginning.
        """
        if not self._found and not self.broken:
            return
        odd = self.broken or any(reason not in HARMLESS for reason in self._found)
        broken = "".join(f". {name}: {why}" for name, why in self.broken.items())
        print_log(
            f"{what}: {self.count()} members passed over{': ' if self._found else ''}{self}"
            f"{broken}",
            logger="current",
            level=logging.WARNING if odd else logging.INFO,
        )

    def to_dict(self) -> dict:
        """Return plain data, for a cache."""
        return dict(found={k: [n, names] for k, (n, names) in self._found.items()},
                    broken=self.broken)  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict) -> PassedOver:
        """Return what `to_dict` was made from."""
        self = cls()
        self._found = {reason: (count, names) for reason, (count, names) in data["found"].items()}
        self.broken = dict(data["broken"])
        return self


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
