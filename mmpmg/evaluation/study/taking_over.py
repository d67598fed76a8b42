"""A cell that another study has run with equal settings is not run again.

Studies share arms: training from scratch is one of several, and the plain recipe of one is an arm
of another. Under one ``--out`` cells of equal digests are one training, which runs once. Its
result and encoder are those of all these cells; ``taken_from`` in their ``result.json`` says whose.
"""

from __future__ import annotations

import glob
import os
import shutil
from pathlib import Path

from mmpmg.evaluation.study.cells import PRETRAIN, RESULT, STATE, Cell, read_json, write_json
from mmpmg.written_beside import written_beside

TAKEN_FROM = "taken_from"
_CLAIMS = ".claims"


def shared_claim(cell: Cell, digest: str) -> Path:
    """Return the claim that all cells of a digest have in common, whatever their study."""
    return cell.out / _CLAIMS / digest


class Finished:
    """Results under one folder for all studies; each is read once."""

    def __init__(self) -> None:
        self._digests: dict[Path, str | None] = {}

    def like(self, cell: Cell, digest: str) -> list[Path]:
        """Find finished cells of a digest, in any study and arm, that can be taken over.

        Args:
            cell: Which is not meant; of its size and kind.
            digest: Its digest.

        Returns:
            Their folders.
        """
        found = []
        for file in sorted(cell.out.glob(f"*/{glob.escape(cell.size)}/*/*/*/{RESULT}")):
            if file not in self._digests:
                self._digests[file] = (read_json(file) or {}).get("digest")
            if self._digests[file] == digest and file.parent != cell.folder:
                found.append(file.parent)
        return found

    def take_over(self, cell: Cell, digest: str) -> str | None:
        """Give a cell the result, and the encoder, of a finished one of the same digest.

        Args:
            cell: It is claimed by this process.
            digest: Its digest.

        Returns:
            Where the training ran, from the folder of all studies; None: there is none.
        """
        for folder in self.like(cell, digest):
            result = read_json(folder / RESULT) or {}
            if (result.get("digest"), result.get("kind")) != (digest, cell.kind):
                continue  # it was moved away or made anew since it was read
            if cell.kind == PRETRAIN and not _has(folder / "run" / cell.encoder.name, cell.encoder):
                continue
            origin = result.get(TAKEN_FROM) or folder.relative_to(cell.out).as_posix()
            write_json(cell.folder / RESULT, {**result, TAKEN_FROM: origin})
            # What this cell had begun itself is of no use any more.
            (cell.folder / STATE).unlink(missing_ok=True)
            for checkpoint in cell.run.glob("epoch_*.pth"):
                checkpoint.unlink()
            return str(origin)
        return None


def _has(encoder: Path, copy: Path) -> bool:
    """Put an encoder under another name too; False: there is none."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        with written_beside(copy) as unfinished:
            try:
                os.link(encoder, unfinished)
            except FileNotFoundError:
                raise
            except OSError:  # a file system without hard links
                shutil.copyfile(encoder, unfinished)
    except FileNotFoundError:
        return False
    return True
