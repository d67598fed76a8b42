"""What a folder of generated images was made by: the part of a command that decides its bytes."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
from mmaction.registry import DATASETS

from mmpmg import typed
from mmpmg.version import __version__

from .errors import GenerationError
from .layout import Layout

#: What tools/generate_images.py calls a source -> its type in a recipe.
SOURCES = {
    "fractaldb": "FractalImages",
    "visual-atom": "VisualAtomImages",
    "shaders": "ShaderImages",
    "perlin": "PerlinImages",
    "glsl": "GLSLImages",
}
#: File format -> (ending, what wrote it, OpenCV's options).
FORMATS: dict[str, tuple[str, str, list[int]]] = {
    "png": (".png", "PNG", []),
    "jpeg": (".jpg", "JPEG, quality 95", [cv2.IMWRITE_JPEG_QUALITY, 95]),
}
_FLAGS = ("size", "seed", "num_categories")
_FINGERPRINT = "fingerprint"  # of the user's files that a source draws by, where it has one


@dataclass(frozen=True)
class Command:
    """Everything that the bytes of a folder follow from; it heads the manifest.

    Args:
        source: a key of `SOURCES`.
        parameters: every argument of the source's constructor, defaults included; and its
            ``fingerprint()``, if it has one: another when the user's files are others.
        num: the number of images.
        num_categories: of the source.
        format: a key of `FORMATS`.
        encoder: library and version that writes files; another may compress otherwise.
        version: of this package.
        probe: SHA-256 of the file of the source's first image: a generator that changed, or that
            computes otherwise on another machine, is noticed whatever its version says.
    """

    source: str
    parameters: Mapping[str, Any]
    num: int
    num_categories: int
    format: str
    encoder: str
    version: str
    probe: str

    @classmethod
    def of(cls, source: str, parameters: Mapping[str, Any], images: Any, num: int, format: str,
           probe: str) -> Command:  # fmt: skip
        """Describe a run by this machine's versions; see the class."""
        return cls(
            source=source,
            parameters=parameters,
            num=num,
            num_categories=images.num_categories,
            format=format,
            encoder=f"OpenCV {cv2.__version__}, {FORMATS[format][1]}",
            version=__version__,
            probe=probe,
        )

    @classmethod
    def from_json(cls, text: str) -> Command:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            command = cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(str(error)) from None
        for key in ("num", "num_categories"):
            value = getattr(command, key)
            if type(value) is not int or value < 1:  # not bool
                raise ValueError(f"{key} {value!r}: must be a whole number, 1 or more")
        for key in ("source", "format", "encoder", "version", "probe"):
            if not isinstance(getattr(command, key), str):
                raise ValueError(f"{key} {getattr(command, key)!r}: must be text")
        if command.format not in FORMATS:
            raise ValueError(f"format {command.format}: must be one of {', '.join(FORMATS)}")
        if not isinstance(command.parameters, dict):
            raise ValueError(f"parameters {command.parameters!r}: must be an object")
        return command

    def to_json(self) -> str:
        """Write on one line, the same for the same values."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def layout(self) -> Layout:
        """Where the images lie."""
        return Layout(self.num, self.num_categories, FORMATS[self.format][0])

    def differences(self, other: Command) -> list[str]:
        """Name what differs from another command, ``num`` aside, as "size 32, not 64"."""
        mine, theirs = _flat(replace(self, num=0)), _flat(replace(other, num=0))
        keys = [key for key in mine | theirs if mine.get(key) != theirs.get(key)]
        if keys == ["probe"]:
            return ["another first image from the same parameters: another generator made it"]
        if "source" in keys:
            keys = ["source"]
        return [
            f"other {self.source} files (fingerprint {str(mine.get(key))[:12]}, not "
            f"{str(theirs.get(key))[:12]}): the shaders differ"
            if key == _FINGERPRINT
            else f"{key} {mine.get(key)}, not {theirs.get(key)}"
            for key in keys
            if key != "probe"
        ]

    def shell(self, out: str) -> str:
        """Write the command line that makes such a folder."""
        words = [self.source, "--num", str(self.num), "--out", out]
        rest = []
        for key, value in self.parameters.items():
            if key in _FLAGS:
                words += ["--" + key.replace("_", "-"), *map(str, _listed(value))]
            elif value is not None and key != _FINGERPRINT:
                rest.append(f"{key}={value}")
        if self.format != "png":
            words += ["--format", self.format]
        if rest:
            words += ["--options", *rest]
        return f"{typed.tool('generate_images.py')} {shlex.join(words)}"


def build_source(source: str, given: Mapping[str, Any], num: int) -> tuple[Any, dict[str, Any]]:
    """Build a generator by its short name.

    Args:
        source: a key of `SOURCES`.
        given: arguments of its constructor; None: the default counts.
        num: how many images are wanted.

    Returns:
        The source, and all its arguments but ``images_per_category`` (``num`` says that).

    Raises:
        GenerationError: there is no such source, or it does not take these arguments.
    """
    here = [name for name, type_name in SOURCES.items() if DATASETS.get(type_name) is not None]
    if source not in here:
        raise GenerationError(
            f"{source}: must be one of {', '.join(SOURCES)}"
            if source not in SOURCES
            else f"{source}: this version of mmpmg has no {SOURCES[source]}; it has "
            f"{', '.join(here)}"
        )
    kind = DATASETS.get(SOURCES[source])
    known = inspect.signature(kind).parameters
    wanted = {key: value for key, value in given.items() if value is not None}
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise GenerationError(
            f"{source} takes no {', '.join(unknown)}; --options of {SOURCES[source]} are "
            f"{', '.join(known)}"
        )
    needed = [key for key, p in known.items() if p.default is p.empty and key not in wanted]
    if needed:
        raise GenerationError(
            f"{source} needs --options " + " ".join(f"{key}=..." for key in needed)
        )
    if "images_per_category" in wanted:
        raise GenerationError("--options images_per_category: --num says how many images there are")
    defaults = {k: p.default for k, p in known.items() if p.default is not p.empty}
    parameters = {k: _plain(v) for k, v in {**defaults, **wanted}.items()}
    parameters.pop("images_per_category", None)
    try:
        images = kind(**wanted)
        if "images_per_category" in known:
            each = -(-num // images.num_categories)
            images = kind(**{**wanted, "images_per_category": each})
    except (TypeError, ValueError, OSError, ImportError) as error:
        raise GenerationError(f"{source}: {error}") from error
    if hasattr(images, "fingerprint"):
        parameters[_FINGERPRINT] = images.fingerprint()
    return images, parameters


def _flat(command: Command) -> dict[str, Any]:
    values = asdict(command)
    parameters = values.pop("parameters")
    return {"source": values.pop("source"), **parameters, **values}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _plain(value: Any) -> Any:
    """Return a value as it comes back from JSON, so that both compare equal."""
    return json.loads(json.dumps(value, default=str))
