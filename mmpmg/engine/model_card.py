"""What somebody who finds a file of weights wants to know of it, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from mmpmg.engine.recipe_text import values
from mmpmg.evaluation.run_log import Run
from mmpmg.written_beside import written_beside

_SOURCES = ("type", "ann_file", "data_root", "data_prefix", "categories", "sources")
_INNER = ("dataset", "source", "images")


@dataclass(frozen=True, eq=False)
class CardFacts:
    """All that a card is written from.

    Attributes:
        recipe: Such as "finetune/vit-b_ucf101"; "" where nobody knows.
        text: The recipe as it ran, without the run's own paths; "".
        meta: What the files carry.
        state: The weights.
        files: (path, size in bytes, sha256).
        license: A line, or None.
        run: The work dir that the checkpoint lay in, or None.
    """

    recipe: str
    text: str
    meta: Mapping[str, Any]
    state: Mapping[str, Tensor]
    files: tuple[tuple[Path, int, str], ...]
    license: str | None
    run: Run | None


def write_card(path: Path, facts: CardFacts) -> Path:
    """Write a model card; a killed process leaves no half file.

    Args:
        path: File to write.
        facts: See `CardFacts`.

    Returns:
        ``path``.
    """
    with written_beside(path) as unfinished:
        unfinished.write_text("\n".join(_lines(facts)) + "\n", encoding="utf-8")
    return path


def kind_of_model(state: Mapping[str, Tensor]) -> str:
    """Tell from names of weights what they are for: a key of `USES`."""
    for start, kind in (
        ("cls_head.", "recognizer"), ("necks.", "pre-training"), ("heads.", "pre-training"),
        ("codebook.", "tokenizer"), ("backbone.", "encoder"),
    ):  # fmt: skip
        if any(key.startswith(start) for key in state):
            return kind
    return "other"


USES = {
    "recognizer": (
        "A classifier of video clips.",
        "mmpmg test {recipe} {file}",
    ),
    "pre-training": (
        "An encoder and the decoder of its pre-training; to fine-tune, take the encoder out.",
        "mmpmg export_encoder {file} encoder.pth\n"
        "mmpmg train mmpmg::finetune/RECIPE.py --cfg-options load_from=encoder.pth",
    ),
    "encoder": (
        "An encoder without a classifier, for fine-tuning.",
        "mmpmg train mmpmg::finetune/RECIPE.py --cfg-options load_from={file}",
    ),
    "tokenizer": (
        "A tokenizer, whose codes are targets of a pre-training.",
        "mmpmg train mmpmg::demvm/RECIPE.py "
        "--cfg-options model.branches.token.head.target.checkpoint={file}",
    ),
    "other": ("Weights of another model.", ""),
}
"""Kind -> what it is, and the command that uses it, typed alike with a clone and with the wheel."""

CLASSIFY = """\
```python
import mmpmg  # first: mends the stack
from mmaction.apis import ActionRecogInferencer

inferencer = ActionRecogInferencer(None, "{file}")  # its recipe is inside
print(inferencer("video.mp4")["predictions"][0]["pred_labels"])
```
"""
READ = """\
```python
from mmpmg.models.weight_files import read_weights

weights = read_weights("{file}")  # .state: name -> tensor, .meta
"""
TAKE_OUT = 'open("recipe.py", "w").write(weights.meta["cfg"])  # as below; for commands above\n'
"""How a file of weights is used without anything else."""


def _lines(facts: CardFacts) -> Iterator[str]:
    kind = kind_of_model(facts.state)
    what, command = USES[kind]
    file, meta = facts.files[0][0], facts.meta
    numbers = sum(value.numel() for value in facts.state.values())
    yield f"# {file.stem}"
    yield f"\n{what} Made with mmpmg, a plugin for MMAction2.\n"
    place = f"mmpmg::{facts.recipe}.py" if "/" in facts.recipe else ""  # else its folder is unknown
    yield f"- Recipe: {f'`{place or facts.recipe}`' if facts.recipe else 'not known'}"
    yield from _model(facts.text)
    yield f"- Weights: {len(facts.state)} tensors, {numbers:,} numbers{_precision(meta)}"
    for key, label in (
        ("epoch", "Epochs"), ("iter", "Iterations"), ("seed", "Seed"),
        ("started_from", "Started from"), ("trained_with", "Trained with mmpmg"),
        ("mmengine_version", "MMEngine"),
    ):  # fmt: skip
        if key in meta:
            yield f"- {label}: {meta[key]}"
    if classes := meta.get("classes"):
        yield f"- Classes: {len(classes)}, named in the files' meta"
    yield from _accuracy(facts)
    told = facts.license or (
        "not stated by whoever published this. mmpmg itself is Apache-2.0; what the data below "
        "allow decides about weights trained on them"
    )
    yield f"- Licence: {told}"
    yield "\n## Files\n\n| file | bytes | sha256 |\n|---|---:|---|"
    for path, size, digest in facts.files:
        yield f"| {path.name} | {size:,} | `{digest}` |"
    yield "\nBoth hold the same tensors; the second cannot carry code.\n\n## Use\n"
    if command:
        recipe = place or ("recipe.py" if facts.text else "RECIPE")
        use = command.format(file=file.name, recipe=recipe)
        yield f"```bash\n{use}\n```\n"
    if facts.text and kind == "recognizer":
        yield CLASSIFY.format(file=file.name)
    yield READ.format(file=file.name) + (TAKE_OUT if facts.text else "") + "```"
    if facts.text:
        yield f"\n## Recipe, as it ran\n\n```python\n{facts.text.rstrip()}\n```"


def _model(text: str) -> Iterator[str]:
    """Name the model and the data of a recipe."""
    recipe = values(text)
    model, loader = recipe.get("model"), recipe.get("train_dataloader")
    if isinstance(model, dict):
        backbone = model.get("backbone")
        parts = [model.get("type")]
        if isinstance(backbone, dict):
            sizes = (f"{key}={backbone[key]}" for key in ("arch", "depth", "embed_dims", "img_size",
                     "num_frames", "patch_size", "tubelet_size") if key in backbone)  # fmt: skip
            parts.append(f"{backbone.get('type')} ({', '.join(sizes)})")
        yield f"- Model: {', '.join(str(part) for part in parts if part)}"
    sources = list(_sources(loader.get("dataset"))) if isinstance(loader, dict) else []
    yield f"- Data: {'; '.join(sources) or 'not known'}"


def _sources(dataset: Any) -> Iterator[str]:
    """Name a training set, and those inside it."""
    if isinstance(dataset, list):
        for part in dataset:
            yield from _sources(part)
        return
    if not isinstance(dataset, dict):
        return
    told = [f"{key}={dataset[key]!r}" for key in _SOURCES[1:] if dataset.get(key)
            and not isinstance(dataset[key], list)]  # fmt: skip
    yield " ".join([str(dataset.get("type", "a set")), *told])
    for key in (*_INNER, "datasets", "sources"):
        yield from _sources(dataset.get(key))


def _precision(meta: Mapping[str, Any]) -> str:
    return ", in half precision" if meta.get("dtype") == "float16" else ""


def _accuracy(facts: CardFacts) -> Iterator[str]:
    """Tell the log's numbers; those of another epoch are none of these weights."""
    run, epoch = facts.run, facts.meta.get("epoch")
    if run is None or run.is_pretraining:
        return
    found = dict(zip(*run.accuracy, strict=True)).get(float(epoch)) if epoch else None
    if found is not None:
        yield f"- Top-1 accuracy in validation after epoch {epoch}: {found:.2f} %"
    if run.tested is not None and (run.epochs_done == epoch or not run.accuracy[0]):
        yield f"- Top-1 accuracy of the run's last test: {run.tested:.2f} %"
    if found is None and run.tested is None:
        yield "- Accuracy: none in the run's log"
