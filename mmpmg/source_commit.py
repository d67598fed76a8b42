"""Which commit of the source tree is running, for logs and measurements."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str:
    """Abbreviated commit of the source tree, and whether files differ from it.

    An installed wheel may lie inside somebody else's checkout (a ``.venv`` beside their code),
    whose commit says nothing of ours: the tree must track this package.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True,
            check=True,
        ).stdout.strip()  # fmt: skip

    try:
        git("ls-files", "--error-unmatch", "__init__.py")
        head = git("rev-parse", "--short", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
        return head + (", with changes that are not committed" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown (not a git checkout)"
