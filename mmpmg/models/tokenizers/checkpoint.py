"""Weights of a tokenizer from a file: of our own training, or as VideoGPT published them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmpmg import typed
from mmpmg.models.checkpoint_fit import state_of
from mmpmg.models.tokenizers.vqvae import VQVAE
from mmpmg.models.weight_files import read_checkpoint
from mmpmg.safe_globals import Settings

OPTIONAL = ("codebook.num_updates", "settings")
"""What VideoGPT's files lack: the first decides which vectors are drawn next, and nothing else; the
second, what shapes do not tell, is in their hyper-parameters, but for the number of heads."""
PLACE = "model.branches.token.head.target"
"""Where the recipes of DEMVM have the tokenizer."""
SETTINGS = {
    # name in VideoGPT's hyper-parameters: name in a recipe
    "n_codes": "num_codes",
    "embedding_dim": "code_dim",
    "n_hiddens": "channels",
    "n_res_layers": "layers",
    "downsample": "downsample",
}


class _Name:
    """Stands in for classes and functions of Lightning whose bare names are in its files."""


_LIGHTNING = [
    # argparse.Namespace itself is on the list of mmpmg.safe_globals.
    # Before 1.5 the state of a callback is kept under its class.
    (_Name, "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"),
    (_Name, "pytorch_lightning.callbacks.early_stopping.EarlyStopping"),
    # Left in the settings where a script took all of the Trainer's options.
    (_Name, "pytorch_lightning.utilities.argparse._gpus_arg_default"),
    (_Name, "pytorch_lightning.utilities.argparse_utils._gpus_arg_default"),
]


def load_tokenizer(tokenizer: VQVAE, file: str) -> None:
    """Fill a tokenizer from a file, of which nothing is run (with torch 2.6 or later).

    Args:
        tokenizer: As the recipe describes it.
        file: A checkpoint of ``configs/tokenizer``, or one of VideoGPT's (a Lightning ``.ckpt``).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is of another tokenizer; the message names the setting.
        CodeInFileError: A ValueError as well: it tries to run code.
    """
    if "://" not in file and not Path(file).is_file():
        raise FileNotFoundError(
            f"no checkpoint of a tokenizer at {file}, which {PLACE}.checkpoint names; "
            f"{typed.tool('train.py')} {typed.recipe('tokenizer/RECIPE.py')} trains one, and "
            "docs/tokenizers.md tells of VideoGPT's"
        )
    loaded = _read(file)
    _check_settings(loaded.get("hyper_parameters"), tokenizer, file)
    state = state_of(loaded, file)
    strange = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if strange:
        raise ValueError(
            f"{file} holds a {type(state[strange[0]]).__name__} as {strange[0]}, where the weights "
            "of a tokenizer should be"
        )
    _check_codebook(state, tokenizer, file)
    own = tokenizer.state_dict()
    missing = [key for key in own if key not in state and key not in OPTIONAL]
    left_over = [key for key in state if key not in own]
    other = [key for key in own if key in state and state[key].shape != own[key].shape]
    if missing or left_over or other:
        tells = [f"{len(missing)} weights are missing, such as {missing[0]}"] if missing else []
        tells += [f"{len(left_over)} are left over, such as {left_over[0]}"] if left_over else []
        tells += [
            f"{key} is {tuple(state[key].shape)} in the file and {tuple(own[key].shape)} in the "
            "tokenizer"
            for key in other[:1]
        ]
        raise ValueError(
            f"{file} is of another tokenizer: {'; '.join(tells)}. Give {PLACE}.tokenizer (type, "
            "channels, layers, downsample) the settings that it was trained with"
        )
    tokenizer.check_settings(state, file)
    tokenizer.load_state_dict({**{key: own[key] for key in OPTIONAL}, **state})


def _read(file: str) -> Mapping[str, Any]:
    version = tuple(int(number) for number in torch.__version__.split(".")[:2])
    if version < (2, 6):  # whose torch.load takes no stand-ins
        return read_checkpoint(file)
    with torch.serialization.safe_globals(_LIGHTNING):
        return read_checkpoint(file)


def _check_settings(found: Any, tokenizer: VQVAE, file: str) -> None:
    """Compare VideoGPT's hyper-parameters with the recipe's, where a file has them."""
    for _ in range(2):  # no deeper in VideoGPT's; a crafted file could hold itself
        found = found["args"] if isinstance(found, Mapping) and "args" in found else found
    fields = vars(found) if isinstance(found, Settings) else found
    if not isinstance(fields, Mapping):
        return
    own = dict(
        n_codes=tokenizer.num_codes,
        embedding_dim=tokenizer.codebook.code_dim,
        n_hiddens=tokenizer.channels,
        n_res_layers=tokenizer.layers,
        downsample=tokenizer.downsample,
    )
    for name, key in SETTINGS.items():
        value = fields.get(name)
        value = tuple(value) if isinstance(value, (list, tuple)) else value
        if name in fields and value != own[name]:
            raise ValueError(
                f"{file} was trained with {name}={value}, and the recipe's tokenizer has "
                f"{key}={own[name]}; set {PLACE}.tokenizer.{key}={value}"
            )


def _check_codebook(state: Mapping[str, Tensor], tokenizer: VQVAE, file: str) -> None:
    """Compare the codebooks, which a head is built for, before all else."""
    codes = state.get("codebook.embeddings")
    if codes is None:
        raise ValueError(
            f"{file} holds no codebook.embeddings, so it is no checkpoint of a tokenizer; it has "
            f"{', '.join(list(state)[:3]) or 'nothing'} ..."
        )
    wanted = (tokenizer.num_codes, tokenizer.codebook.code_dim)
    if codes.ndim != 2:
        raise ValueError(f"{file} has a codebook of shape {tuple(codes.shape)}, which is no table")
    if tuple(codes.shape) != wanted:
        raise ValueError(
            f"{file} has {codes.shape[0]} codes of {codes.shape[1]} numbers, and the recipe's "
            f"tokenizer {wanted[0]} of {wanted[1]}; set {PLACE}.tokenizer.num_codes="
            f"{codes.shape[0]} and {PLACE}.tokenizer.code_dim={codes.shape[1]}"
        )
    if not codes.isfinite().all():
        raise ValueError(
            f"{file} has codes that are no numbers: its training failed; take an "
            "earlier epoch_N.pth"
        )
