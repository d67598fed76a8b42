"""Pre-training checkpoint in, encoder file for ``Recognizer3D`` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmpmg.models.checkpoint_fit import meta_of, state_of
from mmpmg.models.conversion import recognizer_state
from mmpmg.models.conversion.file_meta import CONVERSION, hints_of_meta, meta_of_hints
from mmpmg.models.weight_files import read_checkpoint, write_weights


def export_encoder(checkpoint: str | Path, out: str | Path) -> Path:
    """Write the encoder of a pre-training checkpoint as a file that ``load_from`` takes.

    What weights do not tell, such as the number of attention heads, goes along in ``meta``.

    Args:
        checkpoint: A checkpoint of a pretrainer, as MMEngine wrote it.
        out: File to write, .pth or .safetensors; its folder is made. Optimizer state is left out.

    Returns:
        ``out``.

    Raises:
        FileNotFoundError: No such checkpoint.
        ValueError: The checkpoint holds no encoder, or ``out`` has another ending.
    """
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f"no checkpoint at {checkpoint}")
    loaded = read_checkpoint(checkpoint)
    found = state_of(loaded, str(checkpoint))
    meta: dict[str, Any] = dict(exported_from=Path(checkpoint).name)
    try:
        state, told = recognizer_state(found), hints_of_meta(meta_of(loaded))
    except KeyError as error:
        lacks = str(error.args[0]).removeprefix("backbone.")
        raise ValueError(
            f"{checkpoint} has no {lacks} in its backbone: it is of another encoder than the ViTs "
            "and Swins that are pre-trained here"
        ) from None
    except ValueError as error:
        raise ValueError(f"{checkpoint}: {error}") from error
    if known := meta_of_hints(told._replace(decoder_heads=None, normalize=None)):
        meta[CONVERSION] = known
    return write_weights(out, state, meta)
