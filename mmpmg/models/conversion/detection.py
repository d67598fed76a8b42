"""Which family a state dict belongs to, told from its keys."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmpmg import typed

PREFIXES = ("module.", "model.", "_orig_mod.")
"""What DataParallel, DeepSpeed, other people's wrappers and torch.compile put before every key."""
_EMBEDDING = "patch_embed.projection.weight"
_OFFICIAL = "patch_embed.proj.weight"
_HF = "embeddings.patch_embeddings.projection.weight"


def unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take a common prefix off, so that what remains is one of `FORMATS`.

    An encoder alone gets ``backbone.`` before its keys when it is MMAction2's, and loses it when it
    is official; of a bare encoder of Hugging Face ``videomae.`` goes.

    Args:
        state: As it was in the file.
    """
    unwrapped = dict(state)
    while unwrapped:
        prefix = next((p for p in PREFIXES if all(key.startswith(p) for key in unwrapped)), None)
        if prefix is None:
            break
        unwrapped = {key[len(prefix) :]: value for key, value in unwrapped.items()}
    if _EMBEDDING in unwrapped:
        return {f"backbone.{key}": value for key, value in unwrapped.items()}
    if f"backbone.{_OFFICIAL}" in unwrapped:
        return {key.removeprefix("backbone."): value for key, value in unwrapped.items()}
    parts = ("decoder.", "classifier.", "fc_norm.", "encoder_to_decoder.")
    if f"videomae.{_HF}" in unwrapped and not any(key.startswith(parts) for key in unwrapped):
        return {key.removeprefix("videomae."): value for key, value in unwrapped.items()}
    return unwrapped


def detect_format(state: Mapping[str, Tensor]) -> str:
    """Tell the format of a state dict.

    Args:
        state: Any wrapper around it may still be there.

    Returns:
        One of `mmpmg.models.conversion.layouts.FORMATS`, or "timm" for a 2D ViT.

    Raises:
        ValueError: Another architecture; the message names it where it is known.
    """
    state = unwrapped(state)

    def has(prefix: str) -> bool:
        return any(key.startswith(prefix) for key in state)

    # ResNets have a layer1 and Swins a layers.0: before anything that only looks at embeddings.
    _refuse_others(state)
    if f"backbone.{_EMBEDDING}" in state:
        if has("necks.") or has("heads."):
            return "pretrainer"
        return "recognizer" if has("cls_head.") else "encoder"
    if f"videomae.{_HF}" in state:
        return "hf-pretraining" if has("encoder_to_decoder.") else "hf-classification"
    if _HF in state:
        return "hf-model"
    if f"encoder.{_OFFICIAL}" in state:
        return "videomae-pretraining"
    if _OFFICIAL in state:
        return "timm" if state[_OFFICIAL].ndim == 4 else "videomae-finetuned"
    raise ValueError(
        f"no video ViT that is known here: it holds {_examples(state)}. Known are {_KNOWN}"
    )


_KNOWN = (
    "checkpoints of mmpmg and MMAction2 (VisionTransformer), Hugging Face's VideoMAE, the official "
    "VideoMAE and VideoMAE V2, and 2D ViTs of timm"
)


def _examples(state: Mapping[str, Tensor]) -> str:
    return ", ".join(list(state)[:3]) + (" ..." if len(state) > 3 else "") or "nothing"


def _refuse_others(state: Mapping[str, Tensor]) -> None:
    """Name the architectures that people bring and that no conversion here can help."""
    if any("relative_position_bias_table" in key for key in state):
        raise ValueError(
            "a Swin: no other library has DEMVM's, and it loads as it is into MMAction2's "
            f"SwinTransformer3D; {typed.tool('export_encoder.py')} CHECKPOINT OUT takes its "
            "encoder out, and 2D Swin weights come in by "
            "model.backbone.init_cfg=dict(type='InflatedSwin', ...)"
        )
    if any(".codebook." in key or key.startswith("codebook.") for key in state):
        raise ValueError(
            "a tokenizer: it is no encoder of clips; recipes name it in CodebookTarget.checkpoint"
        )
    convolutions = ("conv1.", "layer1.", "stem.", "s1.", "blocks.0.conv")
    for key, value in state.items():
        bare = key.removeprefix("backbone.")
        if value.ndim >= 4 and bare.startswith(convolutions):
            raise ValueError(
                f"a convolutional network ({key}: {tuple(value.shape)}), not a ViT: its weights "
                f"have no place in a video transformer. Known are {_KNOWN}"
            )
    if any(key.endswith("time_embed") or "temporal_attn" in key for key in state):
        raise ValueError(
            "a TimeSformer: it attends to time and space in turn, with weights for each, and "
            f"VideoMAE's ViT to both at once. Known are {_KNOWN}"
        )
    for key, value in state.items():
        if key.endswith((_EMBEDDING, _HF)) and value.ndim != 5:
            raise ValueError(
                f"a ViT for images ({key}: {tuple(value.shape)}): take the same model from timm, "
                f"whose 2D ViTs are inflated. Known are {_KNOWN}"
            )
    if any("rel_pos_" in key or "pool_q" in key for key in state):
        raise ValueError(
            f"an MViT: it pools inside attention, which a ViT does not. Known are {_KNOWN}"
        )
