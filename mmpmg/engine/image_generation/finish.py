"""The end of a run: the manifest, and what to do with the images."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np

from mmpmg import typed

from .command import Command
from .errors import GenerationError
from .folder import ImageFolder, unwritable
from .layout import Shard
from .manifest import MANIFEST, Record, read_command

_RECIPES = {
    "fractaldb": "pmg/vit-b_fractaldb.py",
    "visual-atom": "pmg/vit-b_visual-atom.py",
}
_RECIPE = "pmg/vit-b_shaders1k.py"  # any recipe that reads a folder


def finish(folder: ImageFolder, command: Command, shard: Shard | None) -> np.ndarray | None:
    """Write the manifest if nobody else is at work and nothing is missing; say how things are.

    Args:
        folder: the folder.
        command: what is being made in it.
        shard: which part has just been made; None: only the manifest is asked for.

    Returns:
        Places of missing images; None: others are still at work.

    Raises:
        GenerationError: the manifest cannot be written.
    """
    try:
        with folder.guarded() as lock:
            if any(True for _ in folder.at_work()):
                record = None
            else:
                record = folder.merge(command, lock)
    except FileNotFoundError:
        if not (folder.out / MANIFEST).exists():
            raise
        record = Record(command.layout)  # another shard was the last
        record.read(folder.out / MANIFEST)
    except OSError as error:
        raise unwritable(folder.out, error) from None
    missing = None if record is None else record.missing()
    if record is not None and missing is not None and not len(missing):
        for place, reason in list(record.skipped.items())[:5]:
            if not record.made[place]:
                print(f"skipped {command.layout.path(place)}: {reason}")
        print(last_words(folder.out, command))
    elif shard is not None:
        left = "" if missing is None else f": {len(missing)} images are missing"
        print(
            f"Shard {shard} is done, others are not{left}. The last one writes the manifest "
            f"(or: {typed.tool('generate_images.py')} --merge {shlex.quote(str(folder.out))})."
        )
    return missing


def merge(out: str) -> None:
    """Write the manifest of a folder whose shards are all done, if the last one did not.

    Args:
        out: the folder.

    Raises:
        GenerationError: images are missing, or a shard is still at work.
    """
    folder = ImageFolder(Path(out))
    if _is_finished(folder):
        print(f"{out} is finished: its manifest is {folder.out / MANIFEST}")
        return
    command = folder.begun()
    if command is None:
        raise GenerationError(f"{out} holds nothing to merge: no run has begun there")
    missing = finish(folder, command, None)
    if missing is None:
        raise GenerationError(f"{out}: other shards are still at work; the last one merges")
    if len(missing):
        count = max([1, *(int(name.split("-")[3]) for name in folder.journals())])
        lacks = {
            f"--shard {shard} lacks {number}"
            for shard in (Shard(number, count) for number in range(count))
            for places in [shard.places(command.num)]
            if (number := int(np.sum((missing >= places.start) & (missing < places.stop))))
        }
        raise GenerationError(
            f"{out}: {len(missing)} of {command.num} images are missing "
            f"({', '.join(sorted(lacks))}). Run again: {command.shell(out)} [--shard ...]"
        )


def _is_finished(folder: ImageFolder) -> bool:
    """Tell whether a folder has its manifest and no run; remove what a killed one left of it."""
    made = read_command(folder.out)
    if made is None or not folder.state.is_dir():
        return made is not None
    try:
        with folder.guarded():
            made = read_command(folder.out)
            # A run takes the manifest away as it begins: where both are, it was killed at its end.
            over = made is not None and folder.begun() in (None, made)
            if over and not any(True for _ in folder.at_work()):
                folder.clean()
                return True
    except FileNotFoundError:  # another run has just finished
        return (folder.out / MANIFEST).exists()
    except OSError as error:
        raise unwritable(folder.out, error) from None
    return False


def last_words(out: Path, command: Command) -> str:
    """Say where the images are, how to check them, and what to type to train on them.

    Args:
        out: the folder.
        command: what made them.
    """
    where = shlex.quote(str(out))
    categories = min(command.num, command.num_categories)
    recipe = typed.recipe(_RECIPES.get(command.source, _RECIPE))
    key = "train_dataloader.dataset"
    note = ""
    if re.search(r"[,()\[\]'\"]", str(out)):
        note = (
            "\n(--cfg-options takes no commas, brackets or quotes in a value: "
            "rename the folder, or write these keys into a recipe.)"
        )
    return (
        f"{command.num} images of {categories} categories are in {where}\n"
        f"Check them:     {typed.tool('generate_images.py')} --verify {where}\n"
        f"            or  (cd {where} && sha256sum -c --quiet {MANIFEST})\n"
        f"Train on them:  {typed.tool('dist_train.sh')} {recipe} 8 --cfg-options \\\n"
        f"    {key}.images.root={where} \\\n"
        f"    {key}.num_images={command.num} {key}.subset=balanced{note}"
    )
