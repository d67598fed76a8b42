"""What ``tools/convert_checkpoint.py`` does: a file or folder in one format in, in another out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor

from mmpmg.engine.conversion_check import Check, check_conversion
from mmpmg.engine.hugging_face_models import write_folder
from mmpmg.engine.image_inflation import SOURCE, inflate_conversion
from mmpmg.engine.launch import recipe_file
from mmpmg.models.conversion import Conversion, Hints, ModelSizes, convert, detect_format
from mmpmg.models.conversion.detection import unwrapped
from mmpmg.models.conversion.file_meta import (
    CONVERSION,
    check_meta,
    classes_of_meta,
    hints_of_meta,
    meta_of_hints,
)
from mmpmg.models.conversion.layouts import HUGGING_FACE, OURS
from mmpmg.models.conversion.model_configs import (
    backbone_sizes,
    backbone_sizes_of,
    hints_of_model,
)
from mmpmg.models.conversion.sizes import hints_of_sizes
from mmpmg.models.tokens import Grid, token_grid
from mmpmg.models.weight_files import WeightFile, WeightFileError, read_weights, write_weights

DEFAULT = {
    "pretrainer": "hf-pretraining",
    "encoder": "hf-model",
    "recognizer": "hf-classification",
    "hf-pretraining": "pretrainer",
    "hf-model": "encoder",
    "hf-classification": "recognizer",
    "videomae-pretraining": "pretrainer",
    "videomae-finetuned": "recognizer",
    SOURCE: "encoder",
}
"""Format that was found -> what it becomes unless ``to`` says otherwise."""

_NUMBERS = (
    "heads", "decoder_heads", "num_frames", "image_size", "to_num_frames", "to_image_size",
)  # fmt: skip


class ConversionError(Exception):
    """A conversion that cannot be done; the message says why and what helps."""


@dataclass(frozen=True)
class ConversionOptions:
    """What the command line says."""

    source: str
    """File, or folder of Hugging Face."""
    out: str
    """.pth or .safetensors; a folder for Hugging Face's formats."""
    to: str | None = None
    """Format to write; None: see `DEFAULT`."""
    recipe: str | None = None
    """Recipe of our side: its heads and, of a target, its clips."""
    branch: str | None = None
    """Of a pretrainer with several, the one to convert."""
    num_frames: int | None = None
    """Frames of the clips that the source was trained on, where nothing tells."""
    image_size: int | None = None
    """Their side in pixels."""
    heads: int | None = None
    """Attention heads, where nothing tells."""
    decoder_heads: int | None = None
    """Of the decoder."""
    to_num_frames: int | None = None
    """Frames of the clips that the target is for; the source's when None."""
    to_image_size: int | None = None
    """Their side in pixels."""
    patches: str = "mean"
    """Of a 2D ViT: how its patch embedding is spread over a token's frames."""
    positions: str = "image+time"
    """Of a 2D ViT: what becomes of its positions."""
    check: bool = False
    """Run both models."""


def convert_checkpoint(
    options: ConversionOptions, tell: Callable[[str], None] | None = None
) -> tuple[Conversion, Check | None]:
    """Convert a file, write the result and check it.

    Args:
        options: What to do.
        tell: Is told what was done as soon as it was; the check may take minutes.

    Returns:
        What became of every weight, and what both models compute where that was asked for.

    Raises:
        ConversionError: It cannot be done, and nothing was written; or the written weights cannot
            be checked, for lack of transformers or because it loads them otherwise.
    """
    try:
        _check_options(options)
        file = read_weights(options.source)
        state = unwrapped(file.state)
        source = detect_format(state)
        to = options.to or DEFAULT[source]
        if source == SOURCE:
            conversion = _inflate(options, state, to)
            known = options.heads or options.recipe  # a recipe says its heads
            hints = Hints(conversion.sizes.heads if known else None)
        else:
            hints, grid = _told(options, file, state, to)
            conversion = convert(state, to, options.branch, hints, grid)
        out = _write(conversion, options, classes_of_meta(file.meta))
        if tell is not None:
            told = _heads(conversion.sizes, hints) + _closing(conversion)
            tell(f"{conversion.table()}\n{told}written to {out}")
        check = None
        if options.check:
            folder = Path(options.source) if Path(options.source).is_dir() else None
            check = _check(state, conversion, folder, out)
            if tell is not None:
                tell(check.text())
    except (WeightFileError, FileNotFoundError, ImportError) as error:  # which name it themselves
        raise ConversionError(str(error)) from error
    except ValueError as error:
        raise ConversionError(f"{options.source}: {error}") from error
    except BrokenPipeError:  # by `tell`: nothing is wrong with either file
        raise
    except OSError as error:  # torch's reader of a file that was cut, too
        raise ConversionError(
            f"{options.source} cannot be read to its end, or {options.out} cannot be written: "
            f"{error}"
        ) from error
    return conversion, check


def _check_options(options: ConversionOptions) -> None:
    """Refuse numbers that are none, and to write over what is read."""
    for name in _NUMBERS:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name.replace('_', '-')} {value}: it is 1 or more")
    source, out, inside = Path(options.source), Path(options.out), "model.safetensors"
    for read in (source, source / inside):
        for written in (out, out / inside):
            if read.exists() and written.exists() and read.samefile(written):
                raise ValueError(f"{written} would be written over what is read: name another OUT")


def _heads(sizes: ModelSizes, hints: Hints) -> str:
    """Tell the heads that were guessed, a line each."""
    guesses = [("heads", sizes.heads, hints.heads)]
    guesses.append(("decoder heads", sizes.decoder_heads, hints.decoder_heads))
    return "".join(
        f"{name} {number} (by the width; nothing said so)\n"
        for name, number, said in guesses
        if number is not None and said is None
    )


def _closing(conversion: Conversion) -> str:
    """Tell what a recipe must say of an encoder that does not pool, which is not the usual one."""
    if conversion.target not in OURS[1:] or conversion.sizes.mean_pooling:
        return ""
    return (
        "closed by a norm on each token: the recipe needs model.backbone.use_mean_pooling=False\n"
    )


def _check(
    state: Mapping[str, Tensor], conversion: Conversion, folder: Path | None, out: Path
) -> Check:
    """Run both models; of one that cannot be built around its weights, say that it was written."""
    try:
        return check_conversion(state, conversion, folder, out)
    except ValueError as error:
        raise ConversionError(
            f"{out} was written, but --check cannot run both models: {error}"
        ) from error


def _inflate(options: ConversionOptions, state: Mapping[str, Tensor], to: str) -> Conversion:
    """Inflate a 2D ViT for the clips that the options or the recipe name."""
    frames = options.to_num_frames or options.num_frames
    size = options.to_image_size or options.image_size
    hints, tubelet_size = Hints(options.heads, num_frames=frames, img_size=size), None
    if options.recipe is not None:
        model = _recipe_model(options.recipe)
        hints = hints.over(hints_of_model(model, options.branch))
        tubelet_size = backbone_sizes(model)["tubelet_size"]
    conversion = inflate_conversion(
        state, to, hints, tubelet_size, options.patches, options.positions
    )
    if options.recipe is not None:
        _check_recipe(conversion.sizes, model, options.recipe)
    return conversion


def _told(
    options: ConversionOptions, file: WeightFile, state: Mapping[str, Tensor], to: str
) -> tuple[Hints, Grid | None]:
    """Gather what weights do not tell of the source, and the grid of the target's tokens."""
    hints = Hints(options.heads, options.decoder_heads, options.num_frames, options.image_size)
    hints = hints.over(hints_of_meta(file.meta, options.branch))
    frames, size = options.to_num_frames, options.to_image_size
    if options.recipe is not None:
        model = _recipe_model(options.recipe)
        recipe = hints_of_model(model, options.branch)
        clipless = recipe._replace(num_frames=None, img_size=None)
        # The recipe is of our side: its clips are the target's where that is ours.
        hints = hints.over(clipless if to in OURS else recipe)
        if to in OURS:
            frames, size = frames or recipe.num_frames, size or recipe.img_size
    source = _without_positions(state, to, options.branch, hints)
    check_meta(file.meta, source, options.branch)
    if options.recipe is not None:
        _check_recipe(source, model, options.recipe)
    if frames is None and size is None:
        return hints, None
    if hints.num_frames is None or hints.img_size is None:
        source = convert(state, to, options.branch, hints).source_sizes
    frames, size = frames or source.num_frames, size or source.img_size
    return hints, token_grid((frames, size, size), source.token_shape)


def _without_positions(
    state: Mapping[str, Tensor], to: str, branch: str | None, hints: Hints
) -> ModelSizes:
    """Read the sizes that do not hang on the clips' size."""
    weights = {key: value for key, value in state.items() if not key.endswith("pos_embed")}
    return convert(weights, to, branch, hints).source_sizes


def _recipe_model(name: str) -> dict[str, Any]:
    config = Config.fromfile(recipe_file(name), import_custom_modules=False)
    if "model" not in config:
        raise ValueError(f"the recipe {name} has no model")
    return config.model


def _check_recipe(sizes: ModelSizes, model: Mapping[str, Any], recipe: str) -> None:
    """Refuse weights that do not fit the recipe that was named."""
    wanted, found = backbone_sizes(model), backbone_sizes_of(sizes)
    other = [name for name, value in wanted.items() if found[name] != value]
    if other:
        told = ", ".join(f"{name} {found[name]}" for name in other)
        asks = ", ".join(f"{name} {wanted[name]}" for name in other)
        raise ValueError(
            f"the weights have {told}, and {recipe} asks for {asks}: give the recipe of a model of "
            "their size, or none"
        )


def _write(conversion: Conversion, options: ConversionOptions, classes: list[str] | None) -> Path:
    out = Path(options.out)
    meta: dict[str, Any] = {
        CONVERSION: dict(
            converted_from=Path(options.source).name,
            source=conversion.source,
            format=conversion.target,
            **meta_of_hints(hints_of_sizes(conversion.sizes)),
        )
    }
    if classes is not None and len(classes) == conversion.sizes.num_classes:
        meta["classes"] = classes
    if conversion.target not in HUGGING_FACE:
        return write_weights(out, conversion.state, meta)
    # A folder may be called v1.5; what ends in letters is taken for one where it is one already.
    if out.is_file() or (out.suffix[1:2].isalpha() and not out.is_dir()):
        raise ValueError(
            f"{conversion.target} is a folder with config.json and model.safetensors, and {out} is "
            "a file's name: give a folder, or name another format with --to"
        )
    return write_folder(out, conversion.state, conversion.sizes, conversion.target, meta)
