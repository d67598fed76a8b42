"""Whether the file under ``load_from`` is one that the model can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

HEAD = "cls_head."


def check_fit(model: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Refuse weights that MMEngine would leave out with a warning, training from scratch instead.

    A classifier of another shape is fine: it belongs to another set of classes. So is what only
    one side has, as long as the two share anything. Buffers, such as fixed positions, follow from
    the model's sizes and are not compared.

    Args:
        model: The model, not wrapped.
        state: State dict of the file.
        name: What to call the file.

    Raises:
        ValueError: No weight in common, or one of another shape outside the classifier.
    """
    shapes = {key: tuple(value.shape) for key, value in model.named_parameters()}
    shared = [key for key in shapes if key in state and not key.startswith(HEAD)]
    if not shared:
        found = ", ".join(list(state)[:3]) or "nothing"
        raise ValueError(
            f"load_from={name} has no weight of this model: it holds {found} ..., the model "
            f"{', '.join(list(shapes)[:3])} ...; give the encoder.pth of a pre-training, or "
            "export one with tools/export_encoder.py"
        )
    other = [key for key in shared if tuple(state[key].shape) != shapes[key]]
    if other:
        raise ValueError(
            f"load_from={name} does not fit the recipe's model in {len(other)} of {len(shared)} "
            f"weights, for example {other[0]}: {tuple(state[other[0]].shape)} in the file, "
            f"{shapes[other[0]]} in the model; give model.backbone (arch, patch_size, "
            "tubelet_size, embed_dims, depth) the settings of the pre-training"
        )


def check_file(model: nn.Module, file: str) -> None:
    """Read a checkpoint and check it, see `check_fit`.

    Args:
        model: The model, not wrapped.
        file: A checkpoint on disk or anywhere that MMEngine reads from.
    """
    loaded: Any = CheckpointLoader.load_checkpoint(file, map_location="cpu", logger="silent")
    check_fit(model, loaded.get("state_dict", loaded), file)
