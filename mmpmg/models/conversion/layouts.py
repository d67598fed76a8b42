"""How each family of checkpoints spells the weights of a video ViT.

Read from the public code of transformers 4 and 5, of VideoMAE and VideoMAE V2, and of MMAction2:

| weight | ours, MMAction2 | official | Hugging Face |
|---|---|---|---|
| embedding | patch_embed.projection | patch_embed.proj | patch_embeddings.projection |
| positions | pos_embed: buffer or weight | computed; learnt: pos_embed | computed |
| block i | blocks.i | blocks.i | layer.i; decoder: decoder_layers.i |
| q, k, v | attn.qkv.weight (3C, C) | as ours | attention.attention.{query,key,value}.weight |
| biases | attn.q_bias, attn.v_bias | as ours | attention.attention.{q_bias,v_bias} (1) |
| projection | attn.proj | attn.proj | attention.output.dense |
| MLP | mlp.layers.0.0, mlp.layers.1 | mlp.fc1, mlp.fc2 | intermediate.dense, output.dense |
| norms | norm1, norm2 | norm1, norm2 | layernorm_before, layernorm_after |
| closing | norm (tokens), fc_norm (mean) | as ours | layernorm, fc_norm |
| classifier | cls_head.fc_cls | head | classifier |
| decoder | necks.BRANCH | encoder_to_decoder, mask_token, decoder | as official |
| its output | heads.BRANCH.projection | decoder.head | decoder.head |

(1) In the files of every version; a model of transformers 5 calls them query.bias and value.bias,
and translates while it loads and saves. The key has no bias anywhere.

Between them stands our own spelling, with ``neck.`` and ``head.`` for the one branch that is
converted; `mmpmg.models.conversion.naming` translates.
"""

from __future__ import annotations

OURS = ("pretrainer", "encoder", "recognizer")
HUGGING_FACE = ("hf-pretraining", "hf-model", "hf-classification")
OFFICIAL = ("videomae-pretraining", "videomae-finetuned")
FORMATS = (*OURS, *HUGGING_FACE, *OFFICIAL)
PRETRAINING = ("pretrainer", "hf-pretraining", "videomae-pretraining")
RECOGNITION = ("recognizer", "hf-classification", "videomae-finetuned")

POSITIONS = "backbone.pos_embed"
DECODER_POSITIONS = "neck.positions"
QKV = ("query", "key", "value")
BLOCK_PARTS = ("norm1", "norm2", "attn.proj", "mlp.layers.0.0", "mlp.layers.1")
"""Parts of a block with a weight and a bias, in our spelling; beside them q_bias, v_bias, qkv."""

_SAME = {f"{part}.{kind}": f"{part}.{kind}" for part in BLOCK_PARTS for kind in ("weight", "bias")}
OUR_BLOCK = {**_SAME, **{f"attn.{name}": f"attn.{name}" for name in ("q_bias", "v_bias")}}
OUR_BLOCK["attn.qkv.weight"] = "attn.qkv.weight"


def _spelled(block: dict[str, str], parts: dict[str, str]) -> dict[str, str]:
    for old, new in parts.items():
        block = {
            key: f"{new}{value[len(old) :]}" if value.startswith(old) else value
            for key, value in block.items()
        }
    return block


OFFICIAL_BLOCK = _spelled(OUR_BLOCK, {"mlp.layers.0.0": "mlp.fc1", "mlp.layers.1": "mlp.fc2"})
HF_BLOCK = _spelled(
    {key: value for key, value in OUR_BLOCK.items() if key != "attn.qkv.weight"},
    {
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
        "attn.q_bias": "attention.attention.q_bias",
        "attn.v_bias": "attention.attention.v_bias",
        "attn.proj": "attention.output.dense",
        "mlp.layers.0.0": "intermediate.dense",
        "mlp.layers.1": "output.dense",
    },
)
# What transformers 5 calls them in a model, but not in the files that it saves.
HF_MODEL_BIASES = {
    "attention.attention.query.bias": "attn.q_bias",
    "attention.attention.value.bias": "attn.v_bias",
}

_HF_ENCODER = {
    "backbone.patch_embed.projection.": "embeddings.patch_embeddings.projection.",
    "backbone.blocks.": "encoder.layer.",
    "backbone.norm.": "layernorm.",
    POSITIONS: "embeddings.position_embeddings",
}
_HF_WHOLE = {ours: f"videomae.{theirs}" for ours, theirs in _HF_ENCODER.items()}
_DECODER = {
    "neck.embed.": "encoder_to_decoder.",
    "neck.mask_token": "mask_token",
    "neck.norm.": "decoder.norm.",
    "head.projection.": "decoder.head.",
}
_OFFICIAL_ENCODER = {
    "backbone.patch_embed.projection.": "patch_embed.proj.",
    "backbone.blocks.": "blocks.",
    "backbone.norm.": "norm.",
    POSITIONS: "pos_embed",
}
_OUR_ENCODER = {
    "backbone.patch_embed.projection.": "backbone.patch_embed.projection.",
    "backbone.blocks.": "backbone.blocks.",
    "backbone.norm.": "backbone.norm.",
    POSITIONS: POSITIONS,
}
PARTS: dict[str, dict[str, str]] = {
    "pretrainer": {**_OUR_ENCODER, "neck.": "necks.{neck}.", "head.": "heads.{head}."},
    "encoder": {**_OUR_ENCODER, "backbone.fc_norm.": "backbone.fc_norm."},
    "recognizer": {
        **_OUR_ENCODER,
        "backbone.fc_norm.": "backbone.fc_norm.",
        "cls_head.fc_cls.": "cls_head.fc_cls.",
    },
    "hf-pretraining": {
        **_HF_WHOLE,
        **_DECODER,
        "neck.blocks.": "decoder.decoder_layers.",
        DECODER_POSITIONS: "position_embeddings",
    },
    "hf-model": _HF_ENCODER,
    "hf-classification": {
        **_HF_WHOLE,
        "backbone.fc_norm.": "fc_norm.",
        "cls_head.fc_cls.": "classifier.",
    },
    "videomae-pretraining": {
        **{ours: f"encoder.{theirs}" for ours, theirs in _OFFICIAL_ENCODER.items()},
        **_DECODER,
        "neck.blocks.": "decoder.blocks.",
        DECODER_POSITIONS: "pos_embed",
    },
    "videomae-finetuned": {
        **_OFFICIAL_ENCODER,
        "backbone.fc_norm.": "fc_norm.",
        "cls_head.fc_cls.": "head.",
    },
}
