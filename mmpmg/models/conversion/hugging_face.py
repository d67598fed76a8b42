"""What stands beside the weights in a folder of Hugging Face's VideoMAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmpmg.models.conversion.model_configs import MEAN, STD
from mmpmg.models.conversion.sizes import Hints, ModelSizes

CLASSES = {
    "hf-pretraining": "VideoMAEForPreTraining",
    "hf-model": "VideoMAEModel",
    "hf-classification": "VideoMAEForVideoClassification",
}
"""Format -> class of transformers."""
EPS = 1e-6  # of every norm, in the authors' code and in ours


def config_json(sizes: ModelSizes, to: str, classes: Sequence[str] | None = None) -> dict[str, Any]:
    """Describe a model to Hugging Face.

    Two of its norms, ``decoder.norm`` and ``fc_norm``, have an eps of 1e-5 that no config changes,
    where the authors' code and ours have 1e-6; a config without a decoder keeps the numbers of
    VideoMAE's for ViT-B, which are not used.

    Args:
        sizes: Of the model, heads included.
        to: "hf-pretraining", "hf-model" or "hf-classification".
        classes: Their names in order; LABEL_0 and so on where there are none, or not as many.

    Returns:
        What config.json holds.

    Raises:
        ValueError: The heads are not known, or the tokens are not square.
    """
    sizes.check_heads()
    dt, dh, dw = sizes.token_shape
    if dh != dw:
        raise ValueError(f"tokens of {dh} x {dw} pixels are not square, as VideoMAE's are")
    config: dict[str, Any] = dict(
        architectures=[CLASSES[to]],
        model_type="videomae",
        image_size=sizes.img_size,
        patch_size=dh,
        num_channels=sizes.in_channels,
        num_frames=sizes.num_frames,
        tubelet_size=dt,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.depth,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.hidden,
        hidden_act="gelu",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.02,
        layer_norm_eps=EPS,
        qkv_bias=sizes.qv_bias,
        use_mean_pooling=sizes.mean_pooling,
        norm_pix_loss=sizes.normalize,
        dtype="float32",
    )
    if sizes.decoder_width is not None:
        config.update(
            decoder_hidden_size=sizes.decoder_width,
            decoder_num_hidden_layers=sizes.decoder_depth,
            decoder_num_attention_heads=sizes.decoder_heads,
            decoder_intermediate_size=sizes.decoder_hidden,
        )
    if sizes.num_classes is not None:
        if classes is None or len(classes) != sizes.num_classes:
            classes = [f"LABEL_{number}" for number in range(sizes.num_classes)]
        config.update(
            id2label={str(number): name for number, name in enumerate(classes)},
            label2id={name: number for number, name in enumerate(classes)},
        )
    return config


def preprocessor_json(sizes: ModelSizes) -> dict[str, Any]:
    """Describe how frames become what the model sees, as our recipes do it when they test.

    Args:
        sizes: Of the model; with three colours.

    Returns:
        What preprocessor_config.json holds: the short side is resized, the centre cut out, and
        ImageNet's statistics normalise.
    """
    return dict(
        image_processor_type="VideoMAEImageProcessor",
        do_resize=True,
        size=dict(shortest_edge=sizes.img_size),
        resample=2,  # bilinear
        do_center_crop=True,
        crop_size=dict(height=sizes.img_size, width=sizes.img_size),
        do_rescale=True,
        rescale_factor=1 / 255,
        do_normalize=True,
        image_mean=[round(value / 255, 6) for value in MEAN],
        image_std=[round(value / 255, 6) for value in STD],
    )


def hints_of_config(config: Mapping[str, Any]) -> Hints:
    """Read from a config.json what weights do not tell.

    Raises:
        ValueError: It describes another model than VideoMAE, or frames that are not square.
    """
    kind = config.get("model_type")
    if kind != "videomae":
        raise ValueError(
            f"config.json describes a model of type {kind!r}; of Hugging Face's models only "
            "'videomae' has the layout of a VideoMAE"
        )
    if config.get("hidden_act", "gelu") != "gelu":
        raise ValueError(f"config.json: hidden_act={config['hidden_act']!r}; VideoMAE has 'gelu'")
    size = config.get("image_size", 224)
    if isinstance(size, (list, tuple)) and len(set(size)) == 1:
        size = size[0]
    if not isinstance(size, int):
        raise ValueError(f"config.json: image_size={size}; ours is one number, of square frames")
    return Hints(
        heads=config.get("num_attention_heads", 12),
        decoder_heads=config.get("decoder_num_attention_heads", 6),
        num_frames=config.get("num_frames", 16),
        img_size=size,
        normalize=config.get("norm_pix_loss", True),
    )


_SAID = dict(
    width="hidden_size",
    depth="num_hidden_layers",
    patch_size="patch_size",
    tubelet_size="tubelet_size",
    decoder_width="decoder_hidden_size",
    decoder_depth="decoder_num_hidden_layers",
)


def said_by_config(config: Mapping[str, Any]) -> dict[str, int]:
    """Read from a config.json the sizes that weights tell too, for `check_said`."""
    said = {name: config[key] for name, key in _SAID.items() if isinstance(config.get(key), int)}
    # Written as qkv_bias by transformers 4, as qv_bias by 5; without either they are there.
    biases = config.get("qv_bias", config.get("qkv_bias", True))
    said.update(qv_bias=biases is not False, decoder_qv_bias=biases is not False)
    if isinstance(names := config.get("id2label"), Mapping):
        said["num_classes"] = len(names)
    return said
