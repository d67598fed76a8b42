"""Pre-training checkpoint in, encoder file for ``Recognizer3D`` out."""

from __future__ import annotations

from pathlib import Path

import torch

from mmpmg.models.checkpoint_fit import read_state
from mmpmg.models.conversion import recognizer_state


def export_encoder(checkpoint: str | Path, out: str | Path) -> Path:
    """Write the encoder of a pre-training checkpoint as a file that ``load_from`` takes.

    Args:
        checkpoint: A checkpoint of a pretrainer, as MMEngine wrote it.
        out: File to write; its folder is made. Optimizer state is left out.

    Returns:
        ``out``.

    Raises:
        FileNotFoundError: No such checkpoint.
        ValueError: The checkpoint holds no encoder.
    """
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f"no checkpoint at {checkpoint}")
    state = recognizer_state(read_state(str(checkpoint)))
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed, so that a killed process leaves no half file under this name.
    unfinished = out.with_name(f"{out.name}.part")
    torch.save(dict(state_dict=state, meta=dict(exported_from=Path(checkpoint).name)), unfinished)
    unfinished.replace(out)
    return out
