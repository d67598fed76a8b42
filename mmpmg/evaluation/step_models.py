"""The two models of the step benchmark: ours and Hugging Face's VideoMAE, of the same size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmpmg import typed
from mmpmg.engine import FusedAdamW
from mmpmg.models.backbones.masked_vit import ARCHITECTURES

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DECODERS = {
    # encoder: (width, heads); 4 blocks in all of them
    "tiny": (96, 3),
    "small": (192, 3),
    "base": (384, 6),
    "large": (512, 8),
    "huge": (640, 8),
}
DECODER_DEPTH = 4


class StepSize(NamedTuple):
    """Architecture and batch of a step, written ``arch:frames:side:batch``."""

    arch: str
    num_frames: int
    side: int
    batch: int

    @classmethod
    def parse(cls, text: str) -> StepSize:
        """Read ``small:16:112:4``.

        Raises:
            ValueError: Not of that form, or an unknown architecture.
        """
        arch, *numbers = text.split(":")
        if arch not in DECODERS or len(numbers) != 3 or not all(n.isdigit() for n in numbers):
            raise ValueError(
                f"size {text!r} is not arch:frames:side:batch with arch one of "
                f"{', '.join(DECODERS)}; e.g. --size small:16:112:4"
            )
        return cls(arch, *(int(n) for n in numbers))

    def __str__(self) -> str:
        """``ViT small, 16 x 112², batch 4``."""
        return f"ViT {self.arch}, {self.num_frames} x {self.side}², batch {self.batch}"


def build_ours(size: StepSize, mask_ratio: float) -> Any:
    """Build our pretrainer as the recipes describe it: tube mask, normalised pixels, MSE."""
    width, heads = DECODERS[size.arch]
    return MODELS.build(
        dict(
            type="MaskedVideoPretrainer",
            data_preprocessor=dict(
                mean=[255 * m for m in MEAN], std=[255 * s for s in STD], format_shape="NCTHW"
            ),
            masker=dict(type="TubeMasker", mask_ratio=mask_ratio),
            backbone=dict(
                type="MaskedVisionTransformer",
                arch=size.arch,
                img_size=size.side,
                num_frames=size.num_frames,
                use_mean_pooling=False,
            ),
            branches=dict(
                pixel=dict(
                    neck=dict(
                        type="MAEDecoder", embed_dims=width, depth=DECODER_DEPTH, num_heads=heads
                    ),
                    head=dict(type="MaskedRegressionHead", target=dict(type="PixelTarget")),
                )
            ),
        )
    )


def build_theirs(size: StepSize) -> Any:
    """Build Hugging Face's ``VideoMAEForPreTraining`` with the same numbers.

    Raises:
        ImportError: transformers is not installed.
    """
    try:
        from transformers import VideoMAEConfig, VideoMAEForPreTraining
    except ImportError as error:
        raise ImportError(
            "the step is compared with Hugging Face's model: pip install 'mmpmg[test]' or "
            f"pip install transformers, or run {typed.tool('benchmark.py')} render"
        ) from error
    width, depth, heads = ARCHITECTURES[size.arch]
    decoder_width, decoder_heads = DECODERS[size.arch]
    config = VideoMAEConfig(
        image_size=size.side,
        num_frames=size.num_frames,
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        decoder_hidden_size=decoder_width,
        decoder_num_hidden_layers=DECODER_DEPTH,
        decoder_num_attention_heads=decoder_heads,
        decoder_intermediate_size=4 * decoder_width,
        layer_norm_eps=1e-6,
        norm_pix_loss=True,
        use_mean_pooling=False,
    )
    return VideoMAEForPreTraining(config)


def attention_of(model: nn.Module) -> set[str]:
    """Name the attention implementations that the layers of Hugging Face's model use."""
    return {
        module.config._attn_implementation
        for module in model.modules()
        if hasattr(getattr(module, "config", None), "_attn_implementation")
    }


def set_attention(model: nn.Module, name: str) -> None:
    """Switch every layer of Hugging Face's model to an implementation, "sdpa" or "eager".

    Its own setter does not reach the decoder, which keeps a config of its own.
    """
    for module in model.modules():
        if hasattr(getattr(module, "config", None), "_attn_implementation"):
            module.config._attn_implementation = name


class StepInputs(NamedTuple):
    """One batch in the layouts of both models."""

    ours: Tensor
    """(B, 1, C, T, H, W), normalised."""
    samples: list[ActionDataSample]
    """B samples with seeds, from which our masker draws in each step."""
    theirs: Tensor
    """(B, T, C, H, W), the same numbers."""
    mask: Tensor
    """(B, N) bool, what our masker draws from these seeds: handed to the other model for free."""


def make_inputs(ours: Any, size: StepSize, device: str) -> StepInputs:
    """Make a batch of random clips that both models see alike, with the same tokens masked."""
    generator = torch.Generator().manual_seed(0)
    shape = (size.batch, 1, 3, size.num_frames, size.side, size.side)
    clips = torch.randn(shape, generator=generator).to(device)
    samples = []
    for seed in range(size.batch):
        samples.append(ActionDataSample())
        samples[-1].set_metainfo(dict(sample_seed=seed))
    mask = ours.draw(clips.flatten(0, 1), samples).mask
    # [B, 1, C, T, H, W] -> [B, T, C, H, W]
    return StepInputs(clips, samples, clips[:, 0].transpose(1, 2).contiguous(), mask)


def training_step(
    model: nn.Module, loss: Callable[[], Tensor], device: str, dtype: torch.dtype
) -> Callable[[int], None]:
    """Make a step to be timed: forward, backward, AdamW (fused, as both sides train with it).

    Args:
        model: Whose parameters are trained.
        loss: Computes its loss.
        device: "cpu" or "cuda".
        dtype: float32, or bfloat16 for autocast.
    """
    optimizer = FusedAdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.05)

    def step(_: int) -> None:
        optimizer.zero_grad()
        with torch.autocast(device, dtype, enabled=dtype is not torch.float32):
            value = loss()
        value.backward()
        optimizer.step()

    return step
