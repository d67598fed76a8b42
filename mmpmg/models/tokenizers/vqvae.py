"""VideoGPT's VQ-VAE: the tokenizer of clips, and that of lone frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor
from torch.nn import functional as F

from mmpmg.models.tokenizers.codebook import PLACE, Codebook
from mmpmg.models.tokenizers.encoder_decoder import Decoder, Encoder, token_sides
from mmpmg.models.tokenizers.same_padding import SamePadConv3d
from mmpmg.models.tokenizers.shrinking import shrink
from mmpmg.models.tokens import token_grid
from mmpmg.motion.ranges import number, whole


class VQVAE(BaseModel):
    """VideoGPT's VQ-VAE (Yan et al. 2021, Sec. 3.1); a subclass says which axes its layers see.

    Architecture, defaults and names of weights are those of ``kinetics_stride2x4x4``; its layers
    start from torch's own initialisation.

    Args:
        num_codes: Codes, 2 or more.
        code_dim: Numbers of a code.
        channels: Hidden width, even, a multiple of ``num_heads``.
        layers: Residual blocks with axial attention, in the encoder and in the decoder.
        num_heads: Their attention heads.
        downsample: (frames, rows, columns) of a code, powers of 2, one of the sides 4 or more.
        commitment: Weight of the commitment loss, >= 0.
        variance: The mean square of the error is divided by it, > 0; .06 is VideoGPT's, about the
            variance of pixels in videos.
        decay: Of the codebook's moving averages, in [0, 1].
        restart_below: See `Codebook`.
        scale: While training, clips are first averaged over squares of this side, as
            ``CodebookTarget.scale`` does it: at 224 pixels, the tokenizer sees 112.
        data_preprocessor: Config; ``PMGDataPreprocessor`` by default, without ``mean``.
        init_cfg: MMEngine initialisers.

    Raises:
        ValueError: An option is out of its range.
    """

    axes: str
    """Axes along which features mix, see `AxialBlock`."""

    def __init__(
        self,
        num_codes: int = 2048,
        code_dim: int = 256,
        channels: int = 240,
        layers: int = 4,
        num_heads: int = 2,
        downsample: Sequence[int] = (2, 4, 4),
        commitment: float = 0.25,
        variance: float = 0.06,
        decay: float = 0.99,
        restart_below: float = 1.0,
        scale: int = 1,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        preprocessor = MODELS.build(
            data_preprocessor or {}, default_args=dict(type="PMGDataPreprocessor")
        )
        if getattr(preprocessor, "mean", None) is not None:
            raise ValueError(
                "a tokenizer takes grey levels as they are; leave model.data_preprocessor.mean "
                "and std out"
            )
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.layers = whole(PLACE, "layers", layers, 0, 1000)
        self.num_heads = whole(PLACE, "num_heads", num_heads, 1, 10**6)
        self.channels = whole(PLACE, "channels", channels, 2, 10**6)
        if channels % 2 or channels % num_heads:
            raise ValueError(
                f"{PLACE}: channels={channels} must be even and a multiple of num_heads={num_heads}"
            )
        self.commitment = number(PLACE, "commitment", commitment, 0.0, 1e9)
        self.variance = number(PLACE, "variance", variance, 1e-9, 1e9)
        self.scale = whole(PLACE, "scale", scale, 1, 64)
        sides = token_sides(downsample)
        # Where layers see one frame at a time, the first one stands for all of a code.
        self.slot = 1 if "t" in self.axes else sides[0]
        self.downsample = sides
        shape = (channels, layers, num_heads, self.axes, (sides[0] // self.slot, *sides[1:]))
        self.encoder, self.decoder = Encoder(*shape), Decoder(*shape)
        self.pre_vq_conv = SamePadConv3d(channels, code_dim, (1, 1, 1))
        self.post_vq_conv = SamePadConv3d(code_dim, channels, (1, 1, 1))
        self.codebook = Codebook(num_codes, code_dim, decay, restart_below=restart_below)
        # What shapes of weights do not tell, kept with them: see `check_settings`.
        self.register_buffer("settings", torch.tensor([*sides, num_heads]))

    def check_settings(self, state: Mapping[str, Any], name: str) -> None:
        """Refuse weights that fit, but were trained with other strides or heads.

        Args:
            state: State dict, of ours or of VideoGPT's, which lacks ``settings``.
            name: What to call it.

        Raises:
            ValueError: They were.
        """
        found = state.get("settings")
        if found is None:
            return
        values = found.flatten().tolist() if isinstance(found, Tensor) else []
        if values != [*self.downsample, self.num_heads]:
            raise ValueError(
                f"{name} was trained with downsample={tuple(values[:3])} and num_heads="
                f"{values[3] if len(values) > 3 else None}, and the recipe's tokenizer has "
                f"downsample={self.downsample} and num_heads={self.num_heads}, whose codes would "
                "mean nothing: set the tokenizer's downsample and num_heads to the former"
            )

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        own = {key.removeprefix(prefix): value for key, value in state_dict.items()}
        self.check_settings(own, "the checkpoint")
        super()._load_from_state_dict(state_dict, prefix, *args)

    @property
    def num_codes(self) -> int:
        """Number of codes; a code is in [0, num_codes)."""
        return self.codebook.num_codes

    def features(self, clip: Tensor) -> Tensor:
        """Everything before the codebook's own projection, see `code_vectors`.

        Args:
            clip: (B, 3, T, H, W) in [0, 1]; sides are multiples of ``downsample``.

        Returns:
            (B, channels, t, h, w).

        Raises:
            ValueError: A side is no multiple.
        """
        token_grid((clip.shape[2], clip.shape[3], clip.shape[4]), self.downsample)
        return self.encoder(clip[:, :, :: self.slot] - 0.5)

    def code_vectors(self, features: Tensor) -> Tensor:
        """Project features of any places to what the codebook compares.

        Args:
            features: (R, channels).

        Returns:
            (R, code_dim), in the codebook's precision.
        """
        layer = self.pre_vq_conv.conv
        with torch.autocast(features.device.type, enabled=False):
            return F.linear(features.to(layer.weight.dtype), layer.weight.flatten(1), layer.bias)

    @torch.no_grad()
    def encode(self, clip: Tensor) -> Tensor:
        """Tokenize: clip (B, 3, T, H, W) in [0, 1] -> codes (B, t, h, w) int64."""
        features = self.features(clip).movedim(1, -1)
        codes = self.codebook.nearest(self.code_vectors(features.flatten(0, 3)))
        return codes.reshape(features.shape[:4])

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Draw what codes say: (B, t, h, w) int64 -> clip (B, 3, T, H, W) in [0, 1]."""
        vectors = self.codebook.lookup(codes).movedim(-1, 1)
        return self._whole(self.decoder(self.post_vq_conv(vectors)))

    def _whole(self, frames: Tensor) -> Tensor:
        """Every frame of the clip, in [0, 1], from the decoder's output."""
        return (frames.detach().float() + 0.5).clamp_(0, 1).repeat_interleave(self.slot, 2)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[ActionDataSample] | None = None,
        mode: str = "tensor",
    ) -> Tensor | dict[str, Tensor] | list[ActionDataSample]:
        """MMEngine's three modes.

        Args:
            inputs: (B, V, 3, T, H, W), V views of each sample, in grey levels.
            data_samples: B samples; new ones by default.
            mode: "loss" -> dict of losses, and of what is logged beside them; "predict" -> samples
                with ``codes`` (V, t, h, w) and ``reconstruction`` (V, 3, T, H, W) in [0, 1];
                "tensor" -> (B*V, t, h, w) codes.

        Raises:
            ValueError: Any other mode.
        """
        clip = shrink(inputs.flatten(0, 1) / 255, self.scale)
        if mode == "loss":
            return self.loss(clip)
        if mode == "predict":
            codes = self.encode(clip).unflatten(0, inputs.shape[:2])
            pictures = self.decode(codes.flatten(0, 1)).unflatten(0, inputs.shape[:2])
            samples = data_samples or [ActionDataSample() for _ in codes]
            for sample, own, picture in zip(samples, codes, pictures, strict=True):
                sample.codes, sample.reconstruction = own, picture
            return samples
        if mode == "tensor":
            return self.encode(clip)
        raise ValueError(f"mode {mode!r} is unknown; it is one of 'loss', 'predict', 'tensor'")

    def loss(self, clip: Tensor) -> dict[str, Tensor]:
        """Losses of clips (B, 3, T, H, W) in [0, 1], and what tells how good the codes are.

        Returns:
            ``loss_reconstruction`` (mean square over ``variance``), ``loss_commitment``; ``psnr``
            in dB, of the clips as `decode` draws them, mean over clips; ``codebook_usage``, share
            of the codes in this batch; ``codebook_perplexity``.
        """
        features = self.features(clip).movedim(1, -1)
        quantized = self.codebook(self.code_vectors(features.flatten(0, 3)))
        vectors = quantized.vectors.unflatten(0, features.shape[:4]).movedim(-1, 1)
        frames = self.decoder(self.post_vq_conv(vectors))
        wanted = clip[:, :, :: self.slot] - 0.5
        errors = (self._whole(frames) - clip).square().flatten(1).mean(1)
        return dict(
            loss_reconstruction=F.mse_loss(frames.float(), wanted) / self.variance,
            loss_commitment=self.commitment * quantized.commitment,
            psnr=-10 * errors.clamp_min(1e-10).log10().mean(),
            codebook_usage=quantized.usage,
            codebook_perplexity=quantized.perplexity,
        )


@MODELS.register_module()
class VQVAE3D(VQVAE):
    """Tokenizer of clips: one code for 2 x 4 x 4 pixels (DEMVM, Sec. 3.1); arguments of `VQVAE`.

    VideoGPT's checkpoints load into it, see `load_tokenizer`.
    """

    axes = "wht"


@MODELS.register_module()
class VQVAE2D(VQVAE):
    """Tokenizer of lone frames: the baseline of DEMVM's Table 7; arguments of `VQVAE`.

    No layer sees two frames; all else is as in `VQVAE3D`. The paper's 2D baseline tokenizes each
    frame and "merges" (Sec. 2.2, of BEVT), and does not say how the maps of two frames become one.
    Here the first frame of each ``downsample[0]`` stands for them, as one frame does for each token
    in BEVT's code. What the others show is not in the codes, and `decode` repeats the first.
    """

    axes = "wh"
