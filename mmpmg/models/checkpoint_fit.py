"""Whether the file under ``load_from`` is one that the model can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmpmg import typed
from mmpmg.models.conversion.layouts import POSITIONS
from mmpmg.models.foreign_bytes import WeightFileError
from mmpmg.models.trained_settings import check_settings
from mmpmg.models.weight_files import read_checkpoint
from mmpmg.models.weight_layouts import without_parallel

HEAD = "cls_head."
ENCODER = "backbone."
NORM, FC_NORM = "backbone.norm.weight", "backbone.fc_norm.weight"
CLOSING = (
    "backbone.norm.",
    "backbone.fc_norm.",
    # Of a Swin: what its pre-training alone has. The norm of its last stage serves both.
    "backbone.mask_token",
    "backbone.norm0.",
    "backbone.norm1.",
    "backbone.norm2.",
)
LEARNT = (
    "running_mean",
    "running_var",
    "codebook.embeddings",
    "codebook.N",
    "codebook.z_avg",
)
"""Ends of the names of buffers that training changes, as it does weights."""
CODEBOOK = "codebook.embeddings"


def check_fit(
    model: nn.Module, state: Mapping[str, Tensor], name: str, whole: bool = False
) -> None:
    """Refuse weights that MMEngine would leave out with a warning, training from scratch instead.

    A classifier may be missing or of another shape: it belongs to another set of classes. So may
    the encoder's closing norms and mask token, which differ between pre-training and recognition,
    and what only the file has outside the encoder, such as a decoder. Every other weight of the
    encoder must be in the file, the patch embedding too, and no other. Statistics of batch norms
    and a tokenizer's codebook count as weights. Other buffers, such as fixed positions, follow from
    the model's sizes and are not compared.

    Args:
        model: The model, not wrapped.
        state: State dict of the file.
        name: What to call the file, with what names it, such as ``load_from=FILE``.
        whole: Demand every weight, the classifier too: for testing.

    Raises:
        ValueError: No weight in common, one of another shape, or one that the file lacks.
    """
    shapes = {key: tuple(value.shape) for key, value in model.named_parameters()}
    for key, value in model.state_dict().items():
        if key.endswith(LEARNT):
            shapes[key] = tuple(value.shape)
    wanted = (
        "give the tokenizer (model.type, num_codes, code_dim, channels, layers, downsample) the "
        "settings that it was trained with"
        if CODEBOOK in shapes
        else "give model.backbone (arch, patch_size, tubelet_size, embed_dims, depth or depths; of "
        "a Swin arch, window_size) the settings of the pre-training"
    )
    free = () if whole else (HEAD, *CLOSING)
    shared = [key for key in shapes if key in state and not key.startswith(free)]
    if not shared:
        found = ", ".join(list(state)[:3]) or "nothing"
        raise ValueError(
            f"{name} has no weight of this model: it holds {found} ..., the model "
            f"{', '.join(list(shapes)[:3])} ...; give the encoder.pth of a pre-training, export "
            f"one with {typed.tool('export_encoder.py')}, or bring a file of another layout, as "
            "VideoMAE's own, Hugging Face's, timm's or torch.compile's, into ours with "
            f"{typed.tool('convert_checkpoint.py')} FILE OUT"
        )
    heads = [key for key in shapes if key.startswith(HEAD)]
    if whole and heads and not any(key in state for key in heads):
        raise ValueError(
            f"{name} is a pre-trained encoder without a classifier: fine-tune it first "
            f"({typed.tool('train.py')} RECIPE --cfg-options load_from={name}), and test "
            f"the epoch_N.pth of that run; of the model's weights it lacks {', '.join(heads)}"
        )
    other = [key for key in shared if tuple(state[key].shape) != shapes[key]]
    if other:
        raise ValueError(
            f"{name} does not fit the recipe's model in {len(other)} of {len(shared)} "
            f"weights, for example {other[0]}: {tuple(state[other[0]].shape)} in the file, "
            f"{shapes[other[0]]} in the model; {wanted}"
        )

    encoder = [key for key in {**shapes, **state} if key.startswith(ENCODER)]
    encoder = [key for key in encoder if not key.startswith(CLOSING)]
    missing = [key for key in (shapes if whole else encoder) if key in shapes and key not in state]
    known = {*shapes, *dict(model.named_buffers()), POSITIONS}
    left_over = [key for key in encoder if key not in known]
    if missing or left_over:
        example = f"{missing[0]} is missing" if missing else f"{left_over[0]} is left over"
        for pools, lacks, has in ((False, FC_NORM, NORM), (True, NORM, FC_NORM)):
            if lacks in missing and has in state:
                wanted = f"give model.backbone.use_mean_pooling={pools}, as it was trained"
        raise ValueError(
            f"{name} does not fill the recipe's model: {len(missing)} weights are missing and "
            f"{len(left_over)} are left over, for example {example}; {wanted}; --resume wants a "
            f"checkpoint of the same recipe, {typed.tool('test.py')} a fine-tuned one, "
            "reconstructions an epoch_N.pth, which still has its decoder"
        )


def check_file(model: nn.Module, file: str, whole: bool = False) -> None:
    """Read a checkpoint and check it, see `check_fit` and `check_settings`.

    Args:
        model: The model, not wrapped.
        file: A checkpoint on disk or anywhere that MMEngine reads from.
        whole: Demand every weight.

    Raises:
        ValueError: The file is no checkpoint, or does not fit.
    """
    loaded, name = read_checkpoint(file), file if whole else f"load_from={file}"
    check_loaded(model, loaded, file, name, whole)


def check_loaded(
    model: nn.Module, loaded: Mapping[str, Any], file: str, name: str, whole: bool = False
) -> None:
    """Check a checkpoint that was read, see `check_fit` and `check_settings`.

    Args:
        model: The model, not wrapped.
        loaded: What the file holds.
        file: What to call it where it is no checkpoint.
        name: What to call it where it does not fit.
        whole: Demand every weight.

    Raises:
        ValueError: It is no checkpoint, or does not fit.
    """
    state = state_of(loaded, file)
    check_fit(model, state, name, whole)
    check_settings(model, state, meta_of(loaded), name, decoders=whole)


def check_resumable(loaded: Mapping[str, Any], file: str) -> None:
    """Refuse to go on from weights alone.

    Args:
        loaded: What the file holds.
        file: What to call it.

    Raises:
        ValueError: It lacks the optimizer's state, or how far the run had come.
    """
    lacks = [] if "optimizer" in loaded else ["the optimizer's state"]
    lacks += [] if "iter" in meta_of(loaded) else ["how far the run had come"]
    if lacks:
        raise ValueError(
            f"--resume {file} lacks {' and '.join(lacks)}: a run goes on from its own epoch_N.pth; "
            f"to start from these weights: --cfg-options load_from={file}"
        )


def state_of(loaded: Mapping[str, Any], file: str) -> dict[str, Tensor]:
    """Return what MMEngine takes for the weights of a checkpoint that was read.

    It looks under ``state_dict`` only, so what `read_weights` finds elsewhere would be loaded by
    nobody here: tools/convert_checkpoint.py brings such a file into our layout. Like MMEngine, take
    off the ``module.`` that distributed training puts before every name.

    Args:
        loaded: What the file holds: the weights, alone or as ``state_dict``.
        file: What to call it.

    Raises:
        WeightFileError: They are something else, or some names alone have ``module.``.
    """
    state = loaded.get("state_dict", loaded)
    if not isinstance(state, Mapping):
        raise WeightFileError(f"{file} holds a {type(state).__name__}, not the weights of a model")
    return without_parallel({str(key): value for key, value in state.items()}, file)


def meta_of(loaded: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a checkpoint that was read says of itself; nothing where it says nothing."""
    meta = loaded.get("meta")
    return meta if isinstance(meta, Mapping) else {}
