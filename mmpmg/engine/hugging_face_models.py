"""Folders that Hugging Face's ``from_pretrained`` reads, and what its models compute."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmpmg import compat
from mmpmg.engine.converted_models import (
    BEFORE,
    FEATURES,
    LOSS,
    PREDICTION,
    SCORES,
    TOKENS,
    VISIBLE,
    Clips,
    Side,
)
from mmpmg.models.conversion import ModelSizes
from mmpmg.models.conversion.hugging_face import CLASSES, EPS, config_json, preprocessor_json
from mmpmg.models.conversion.model_configs import MEAN
from mmpmg.models.weight_files import write_weights
from mmpmg.written_beside import written_beside

_IN_MODEL = {".q_bias": ".query.bias", ".v_bias": ".value.bias"}


def write_folder(
    folder: Path, state: Mapping[str, Tensor], sizes: ModelSizes, kind: str, meta: dict[str, Any]
) -> Path:
    """Write config.json, preprocessor_config.json and model.safetensors for ``from_pretrained``.

    Args:
        folder: Is made; other files in it stay.
        state: In the format ``kind``.
        sizes: Of the model, heads included.
        kind: One of `mmpmg.models.conversion.layouts.HUGGING_FACE`.
        meta: For the metadata of the safetensors file; names in ``classes`` go into config.json.

    Raises:
        ValueError: See `config_json`.
    """
    said = {"config.json": config_json(sizes, kind, meta.get("classes"))}
    if sizes.in_channels == len(MEAN):
        said["preprocessor_config.json"] = preprocessor_json(sizes)
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / "model.safetensors", state, meta)
    for name, content in said.items():
        with written_beside(folder / name) as unfinished:
            unfinished.write_text(json.dumps(content, indent=2) + "\n")
    return folder


def load_folder(folder: Path, kind: str, state: Mapping[str, Tensor]) -> Any:
    """Build Hugging Face's model with its own ``from_pretrained`` and see that it is filled.

    Some releases of transformers 5 filled the biases of q and v with zeros and said nothing (mended
    in 2026-09), so every weight is compared with the file's.

    Args:
        folder: See `write_folder`.
        kind: Which of its classes.
        state: What the folder holds.

    Raises:
        ImportError: transformers is not installed.
        ValueError: It is refused there, or a weight is missing, left over, or another one than the
            file's.
    """
    transformers = compat.require("transformers")
    try:
        with _quiet(transformers.utils.logging):  # what is missing is looked at below
            model, info = getattr(transformers, CLASSES[kind]).from_pretrained(
                folder, output_loading_info=True
            )
    except Exception as error:  # of that library's many kinds, for what a folder holds
        told = " ".join(str(error).split())
        raise ValueError(
            f"{CLASSES[kind]}.from_pretrained({str(folder)!r}) fails: {type(error).__name__}: "
            f"{told}"
        ) from error
    fresh = {"classifier.weight", "classifier.bias"} - set(state)
    missing = sorted(set(info["missing_keys"]) - fresh)
    wrong = missing or sorted(info["unexpected_keys"])  # other shapes are refused there
    if wrong:
        raise ValueError(
            f"{CLASSES[kind]}.from_pretrained({str(folder)!r}) was not filled: {len(wrong)} weights"
            f" are missing or left over, for example {wrong[0]}"
        )
    filled = model.state_dict()
    for key, value in state.items():
        name = key if key in filled else _in_model(key)
        if name not in filled or not torch.equal(filled[name], value.to(filled[name].dtype)):
            raise ValueError(
                f"transformers {transformers.__version__} loads {folder} without {key}: some "
                "releases of transformers 5 leave the biases of q and v at zero; upgrade it: "
                "pip install -U transformers"
            )
    return model.float().eval()


def hugging_face_side(
    kind: str, state: Mapping[str, Tensor], sizes: ModelSizes, folder: Path | None, clips: Clips
) -> Side:
    """Compute what Hugging Face's model does.

    Args:
        kind: One of `mmpmg.models.conversion.layouts.HUGGING_FACE`.
        state: Its weights.
        sizes: Its sizes.
        folder: Where it lies; None for weights that came without a config.json.
        clips: What it sees.

    Raises:
        ImportError: transformers is not installed.
        ValueError: See `load_folder`.
    """
    with _somewhere(folder, state, sizes, kind) as place:
        model = load_folder(place, kind, state)
    as_built = _outputs(model, kind, clips)
    norms = [part for part in model.modules() if isinstance(part, nn.LayerNorm)]
    other = {norm.eps for norm in norms} - {EPS}
    for norm in norms:
        norm.eps = EPS
    aligned = _outputs(model, kind, clips) if other else as_built
    note = f"{CLASSES[kind]}.from_pretrained: all {len(state)} weights loaded"
    if any(key.endswith(tuple(_IN_MODEL)) for key in state):
        note += ", q and v biases too"
    if other:
        told = ", ".join(f"{eps:g}" for eps in sorted(other))
        note += (
            f"; it has norms with eps {told} instead of the authors' {EPS:g}: compared with both"
        )
    return Side(aligned, as_built, note)


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Hold back transformers' progress bars and warnings."""
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()


@contextmanager
def _somewhere(
    folder: Path | None, state: Mapping[str, Tensor], sizes: ModelSizes, kind: str
) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as made:
        yield write_folder(Path(made), state, sizes, kind, {})


def _in_model(key: str) -> str:
    for old, new in _IN_MODEL.items():
        key = key.replace(old, new)
    return key


@torch.no_grad()
def _outputs(model: Any, kind: str, clips: Clips) -> dict[str, Tensor]:
    pixels = clips.pixels.transpose(1, 2)  # [B, C, T, H, W] -> [B, T, C, H, W]
    encoder = model if kind == "hf-model" else model.videomae
    closing, encoder.layernorm = encoder.layernorm, None
    outputs = {BEFORE: encoder(pixels).last_hidden_state}
    encoder.layernorm = closing
    if closing is not None:
        outputs[TOKENS] = closing(outputs[BEFORE])
    if kind == "hf-pretraining":
        outputs[VISIBLE] = encoder(pixels, bool_masked_pos=clips.mask).last_hidden_state
        told = model(pixels, bool_masked_pos=clips.mask)
        outputs |= {PREDICTION: told.logits, LOSS: told.loss}
    if kind == "hf-classification":
        if model.fc_norm is not None:
            outputs[FEATURES] = model.fc_norm(outputs[BEFORE].mean(1))
        outputs[SCORES] = model(pixels).logits
    return outputs
