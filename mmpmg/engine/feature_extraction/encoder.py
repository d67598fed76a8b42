"""A recipe's encoder with weights from any of our files, pooled to one vector a view."""

from __future__ import annotations

from copy import deepcopy

import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS
from mmengine.config import Config
from torch import Tensor, nn

from mmpmg import typed
from mmpmg.engine.recipe_changes import mistyped_keys_named
from mmpmg.models.checkpoint_fit import check_fit
from mmpmg.models.conversion import Hints, convert
from mmpmg.models.trained_settings import check_settings
from mmpmg.models.weight_files import read_weights

from .errors import ExtractionError

#: ``--precision`` -> what autocast computes in; None: no autocast.
PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
_FRESH = ("backbone.fc_norm.weight", "backbone.fc_norm.bias")


class PooledEncoder:
    """An encoder that makes one vector of every view of a video.

    Args:
        model: a recognizer; its head, if there is one, is not looked at.
        device: where it computes.
        precision: a key of `PRECISIONS`.
        views_at_once: views of one forward pass, 1 or more: what memory allows.
    """

    def __init__(
        self, model: Recognizer3D, device: str, precision: str, views_at_once: int
    ) -> None:
        self.model = model.to(device).eval()
        self.device = torch.device(device)
        self.dtype = PRECISIONS[precision]
        self.views_at_once = views_at_once

    # Not inference mode: MMAction2's Swin keeps its windows' masks for the process, and those made
    # in it refuse to be trained with afterwards.
    @torch.no_grad()
    def __call__(self, videos: list[Tensor]) -> Tensor:
        """Encode videos.

        Args:
            videos: each (V, C, T, H, W) uint8, its views.

        Returns:
            (B, V, width) float32, on the CPU.
        """
        data = dict(inputs=videos, data_samples=[])
        batch = self.model.data_preprocessor(data, training=False)["inputs"]
        # [B, V, C, T, H, W] -> pieces of [B*V, C, T, H, W]
        pieces = batch.flatten(0, 1).split(self.views_at_once)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
            encoded = [self.model.backbone(piece) for piece in pieces]
        vectors = torch.cat([pooled(one).float() for one in encoded])
        return vectors.unflatten(0, batch.shape[:2]).cpu()


def pooled(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Average what an encoder returns over space and time.

    Args:
        output: (B, C); (B, C, t, h, w); or a tuple of such maps, of which the last counts.

    Returns:
        (B, C).

    Raises:
        ExtractionError: it has another shape.
    """
    last = output if isinstance(output, Tensor) else output[-1]
    if last.ndim == 5:
        return last.mean((2, 3, 4))
    if last.ndim != 2:
        raise ExtractionError(
            f"model.backbone returns {tuple(last.shape)}: neither (B, C) nor (B, C, t, h, w), so "
            "it is not known how to pool it"
        )
    return last


def build_encoder(
    recipe: Config, name: str, checkpoint: str
) -> tuple[Recognizer3D, dict, list[str]]:
    """Build a recipe's encoder, and load it from a checkpoint of any kind.

    A fine-tuned checkpoint, an encoder file or a pre-training's checkpoint: what it has beside the
    encoder is left out. A pre-training's encoder of a ViT has no ``fc_norm``, which then starts as
    it does in fine-tuning: weight 1, bias 0.

    Args:
        recipe: whose ``model`` is a ``Recognizer3D``.
        name: what to call it in messages.
        checkpoint: file of weights, or folder of Hugging Face's; a ViT's may be in any layout of
            `mmpmg.models.conversion`.

    Returns:
        The recognizer without its head; what it was built from; names of weights that the file
        does not have.

    Raises:
        ExtractionError: the recipe's model takes no clips.
        ValueError: the file is no checkpoint, or of another encoder.
    """
    kind = recipe.model.get("type")
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if not (isinstance(found, type) and issubclass(found, Recognizer3D)):
        raise ExtractionError(
            f"{name} has a model of type {kind}: features come from the model.backbone of a "
            f"Recognizer3D. Name a recipe of {typed.recipe('finetune')} with the same encoder"
        )
    described = deepcopy(recipe.model)
    for key in ("cls_head", "neck", "init_cfg"):
        described.pop(key, None)
    for key in ("pretrained", "init_cfg"):
        described.backbone.pop(key, None)
    if described.get("data_preprocessor"):
        described.data_preprocessor.blending = None
    with mistyped_keys_named(recipe):
        model = MODELS.build(deepcopy(described))
    weights = read_weights(checkpoint)
    state = _our_state(weights.state, checkpoint, model, described.backbone.get("num_frames"))
    check_fit(model, state, checkpoint)
    check_settings(model, state, weights.meta, checkpoint)
    own = model.state_dict()
    # Only buffers that follow from the model's sizes, such as fixed positions, may still differ.
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fitting, strict=False)
    fresh = [key for key, _ in model.named_parameters() if key not in fitting]
    if set(fresh) - set(_FRESH):
        raise ExtractionError(
            f"{checkpoint} lacks {', '.join(sorted(set(fresh) - set(_FRESH)))}: features of fresh "
            "weights mean nothing. Give the recipe that it was trained with"
        )
    _pool_tokens(model.backbone)
    return model, described.to_dict(), fresh


def _our_state(
    state: dict[str, Tensor], checkpoint: str, model: Recognizer3D, num_frames: int | None
) -> dict[str, Tensor]:
    """Bring the weights of a ViT in another library's layout into ours."""
    vit = isinstance(model.backbone, VisionTransformer)
    if vit and "backbone.patch_embed.projection.weight" not in state:
        try:
            return convert(state, "encoder", hints=Hints(num_frames=num_frames)).state
        except ValueError as error:
            raise ExtractionError(f"{checkpoint}: {error}") from error
    return state


def _pool_tokens(backbone: nn.Module) -> None:
    """Let a ViT without mean pooling return all its tokens, not the first one alone."""
    if hasattr(backbone, "fc_norm") and backbone.fc_norm is None:
        backbone.return_feat_map = True
