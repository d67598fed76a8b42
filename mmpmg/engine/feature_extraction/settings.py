"""What features follow from: the settings that a file was, or is being, extracted with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmpmg.version import __version__

from .views import Views

_OPTIONS = {"clips": "--clips", "crops": "--crops", "pool": "--pool", "precision": "--precision"}


def make_settings(
    model: Mapping[str, Any],
    views: Views,
    checkpoint: str,
    videos: Mapping[str, Any],
    pool: str,
    precision: str,
) -> dict[str, Any]:
    """Collect all that decides what the features are, as plain data.

    Batch size, workers, shards and device are not among it: they change the last bits at most.

    Args:
        model: what the encoder was built from.
        views: of a video.
        checkpoint: the file of weights; its contents count, not its name.
        videos: the set's fingerprint.
        pool: "video" or "clip".
        precision: of the arithmetic.
    """
    settings = dict(
        version=__version__,
        clips=views.clips,
        crops=views.crops,
        pool=pool,
        precision=precision,
        checkpoint=_sha256(checkpoint),
        videos=dict(videos),
        model=model,
        pipeline=views.pipeline,
    )
    return dict(json.loads(json.dumps(settings, default=str)))  # as it comes back from a file


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what differs between the settings of a file and those asked for.

    Args:
        before: the file's.
        now: those asked for.

    Returns:
        Phrases such as "--clips 5, not 2"; none when they are the same.
    """
    found = [
        f"{option} {before.get(key)}, not {now.get(key)}"
        for key, option in _OPTIONS.items()
        if before.get(key) != now.get(key)
    ]
    if before.get("checkpoint") != now.get("checkpoint"):
        found.append(
            f"a checkpoint with the SHA-256 {str(before.get('checkpoint'))[:12]}..., not "
            f"{str(now.get('checkpoint'))[:12]}..."
        )
    if before.get("videos") != now.get("videos"):
        counts = [one.get("videos", {}).get("number") for one in (before, now)]
        found.append(
            f"{counts[0]} videos, not {counts[1]}"
            if counts[0] != counts[1]
            else f"other names or labels of the {counts[0]} videos"
        )
    rest: dict[str, str] = {"model": "model"}
    if before.get("clips") == now.get("clips") and before.get("crops") == now.get("crops"):
        rest["pipeline"] = "test_dataloader.dataset.pipeline"
    for key, place in rest.items():
        mine, theirs = _flat(before.get(key), place), _flat(now.get(key), place)
        found += [
            f"{path} {mine.get(path)}, not {theirs.get(path)}"
            for path in [*mine, *(path for path in theirs if path not in mine)]
            if mine.get(path) != theirs.get(path)
        ]
    if before.get("version") != now.get("version"):
        found.append(f"mmpmg {before.get('version')}, not {now.get('version')}")
    return found


def _flat(node: Any, path: str) -> dict[str, Any]:
    """Flatten nested data to dotted paths."""
    if isinstance(node, Mapping):
        pairs: Any = node.items()
    elif isinstance(node, list) and any(isinstance(one, (Mapping, list)) for one in node):
        pairs = enumerate(node)
    else:
        return {path: node}
    return {k: v for key, value in pairs for k, v in _flat(value, f"{path}.{key}").items()}


def _sha256(file: str) -> str:
    """Return the hash of a file's contents, of a folder those of its files by name."""
    path, digest = Path(file), hashlib.sha256()
    for part in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if part.is_file():
            with open(part, "rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
