"""Codes of a trained tokenizer as the thing to predict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmpmg import typed
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokenizers.checkpoint import load_tokenizer
from mmpmg.models.tokenizers.shrinking import shrink
from mmpmg.models.tokens import TokenShape
from mmpmg.motion.ranges import choice, flag, whole

PLACE = "model.branches.*.head.target"
DTYPES = ("bfloat16", "float16", "float32")


@MODELS.register_module()
class CodebookTarget(nn.Module):
    """DEMVM's target (Sec. 3.1): the code that a frozen tokenizer gives to each masked token.

    The clip is averaged over ``scale`` x ``scale`` pixels and encoded whole, since every code sees
    the clip; the search among the codes is made for masked tokens only.

    The tokenizer stands beside the model, not in it: its weights are in no checkpoint, optimizer or
    exported encoder, and a resumed run reads them from ``checkpoint`` again.

    Args:
        token_shape: (frames, rows, columns) of a token; the head fills it in.
        tokenizer: Config of a `VQVAE3D` or `VQVAE2D`.
        checkpoint: File with its weights, see `load_tokenizer`. None is for ``random`` codes.
        scale: Pixels averaged into one, along height and width, before tokenizing; >= 1.
        random: Codes of a tokenizer that was never trained, which mean nothing: to try a recipe.
        dtype: Precision of the tokenizer on GPUs: "bfloat16", "float16" or "float32". The
            search is float32 in any case, and CPUs always compute in float32.

    Raises:
        ValueError: An option is out of its range, or the file is of another tokenizer.
        FileNotFoundError: There is no such file.
    """

    def __init__(
        self,
        token_shape: TokenShape,
        tokenizer: dict,
        checkpoint: str | None = None,
        scale: int = 2,
        random: bool = False,
        dtype: str = "bfloat16",
    ) -> None:
        super().__init__()
        self.token_shape = token_shape
        self.scale = whole(PLACE, "scale", scale, 1, 64)
        self.random = flag(PLACE, "random", random)
        self.dtype = getattr(torch, choice(PLACE, "dtype", dtype, DTYPES))
        self.checkpoint = checkpoint
        self._check_weights()
        built = MODELS.build(tokenizer)
        if checkpoint is not None:
            load_tokenizer(built, checkpoint)
        built.requires_grad_(False).eval()
        # In a tuple, where no module looks for submodules.
        self._beside = (built,)

    @property
    def tokenizer(self) -> nn.Module:
        """The frozen tokenizer."""
        return self._beside[0]

    @property
    def num_codes(self) -> int:
        """Number of codes; a target is in [0, num_codes)."""
        return self.tokenizer.num_codes

    def check(self, num_frames: int, data_preprocessor: nn.Module) -> None:
        """Refuse a model whose tokens and codes do not match, when it is built.

        Args:
            num_frames: T of the clips that the encoder is built for.
            data_preprocessor: The model's.

        Raises:
            ValueError: Tokens of another shape than codes, or clips that do not divide into them.
        """
        time, height, width = self.tokenizer.downsample
        shape = (time, height * self.scale, width * self.scale)
        if shape != tuple(self.token_shape):
            raise ValueError(
                f"a code stands for {shape} pixels (tokenizer.downsample "
                f"{self.tokenizer.downsample} after scale={self.scale}), and a token is "
                f"{tuple(self.token_shape)}: one code for each token is needed; mend {PLACE}.scale "
                f"or {PLACE}.tokenizer.downsample"
            )
        if num_frames % time:
            raise ValueError(
                f"clips of {num_frames} frames do not divide into codes of {time}; mend "
                "model.backbone.num_frames and the pipeline"
            )

    def _check_weights(self) -> None:
        """Refuse neither weights nor chance, and both, before any file is read."""
        if self.checkpoint is None and not self.random:
            raise ValueError(
                f"{PLACE}.checkpoint=None: the tokenizer has no weights, and its codes would mean "
                f"nothing. Train one with a recipe of {typed.recipe('tokenizer')} and set "
                f"{PLACE}.checkpoint=work_dirs/tokenizer/.../epoch_N.pth, or {PLACE}.random=True "
                "to try the recipe without"
            )
        if self.checkpoint is not None and self.random:
            raise ValueError(
                f"{PLACE}: random=True takes no checkpoint, and {self.checkpoint} is given; to try "
                f"the recipe without a tokenizer, set {PLACE}.checkpoint=None as well"
            )

    @torch.compiler.disable  # the number of masked tokens is another one at every step
    @torch.no_grad()
    def forward(self, clip: WholeClip, mask: Tensor) -> Tensor:
        """Find the codes of the masked tokens; no gradient flows through them.

        Args:
            clip: The unmasked clips.
            mask: (B, N) bool, True = masked, tokens in (t, h, w) order.

        Returns:
            (M,) int64 in [0, num_codes): sample after sample, tokens ascending.
        """
        tokenizer = self._on(clip.pixels.device)
        with self._precision(clip.pixels):
            features = tokenizer.features(shrink(clip.pixels, self.scale))
        # [B, C, t, h, w] -> [B, N, C] -> [M, C]: the last layer and the search are for these alone.
        wanted = features.flatten(2).transpose(1, 2)[mask]
        return tokenizer.codebook.nearest(tokenizer.code_vectors(wanted))

    def _on(self, device: torch.device) -> nn.Module:
        """Move the tokenizer to where the clips are: nothing else does."""
        if self.tokenizer.codebook.embeddings.device != device:
            self.tokenizer.to(device)
        return self.tokenizer

    @contextmanager
    def _precision(self, pixels: Tensor) -> Iterator[None]:
        """Autocast on GPUs, to its own precision whatever the step's is."""
        enabled = pixels.is_cuda and self.dtype is not torch.float32
        with torch.autocast(pixels.device.type, self.dtype if enabled else None, enabled=enabled):
            yield
