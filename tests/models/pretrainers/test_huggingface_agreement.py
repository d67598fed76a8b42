"""The same weights in Hugging Face's VideoMAE give the same predictions and the same loss."""

import pytest
import torch
from mmaction.registry import MODELS

transformers = pytest.importorskip("transformers", reason="pip install mmpmg[test]")

# ImageNet's statistics in [0, 1], which Hugging Face hard-codes in the loss.
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
RENAMES = [
    ("attention.output.dense", "attn.proj"),
    ("intermediate.dense", "mlp.layers.0.0"),
    ("output.dense", "mlp.layers.1"),
    ("layernorm_before", "norm1"),
    ("layernorm_after", "norm2"),
]


def copy_blocks(theirs, ours):
    """Hugging Face's separate q, k and v into MMAction2's fused names."""
    for block, layer in zip(ours, theirs):
        state = layer.state_dict()
        renamed = {}
        for key, value in state.items():
            for old, new in RENAMES:
                if key.startswith(old):
                    renamed[key.replace(old, new)] = value
        q, k, v = (
            state[f"attention.attention.{name}.weight"] for name in ("query", "key", "value")
        )
        renamed["attn.qkv.weight"] = torch.cat((q, k, v))
        renamed["attn.q_bias"] = state["attention.attention.query.bias"]
        renamed["attn.v_bias"] = state["attention.attention.value.bias"]
        block.load_state_dict(renamed, strict=True)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("mask_ratio", [0.75, 0.9])
def test_prediction_and_loss_agree(normalize, mask_ratio):
    torch.manual_seed(0)
    theirs = transformers.VideoMAEForPreTraining(
        transformers.VideoMAEConfig(
            image_size=64, patch_size=16, num_frames=8, tubelet_size=2,
            hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=192,
            decoder_hidden_size=24, decoder_num_hidden_layers=2, decoder_num_attention_heads=3,
            decoder_intermediate_size=96, layer_norm_eps=1e-6, norm_pix_loss=normalize,
            use_mean_pooling=False,
        )
    ).eval()  # fmt: skip
    # Hugging Face leaves this one norm at torch's 1e-5; the authors' code has 1e-6 throughout.
    theirs.decoder.norm.eps = 1e-6
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    ours = MODELS.build(
        dict(
            type="MaskedVideoPretrainer",
            data_preprocessor=dict(
                mean=[255 * m for m in MEAN], std=[255 * s for s in STD], format_shape="NCTHW"
            ),
            masker=dict(type="TubeMasker", mask_ratio=mask_ratio),
            backbone=dict(
                type="MaskedVisionTransformer", img_size=64, num_frames=8,
                embed_dims=48, depth=3, num_heads=4, use_mean_pooling=False,
            ),
            branches=dict(
                pixel=dict(
                    neck=dict(type="MAEDecoder", embed_dims=24, depth=2, num_heads=3),
                    head=dict(
                        type="MaskedRegressionHead",
                        target=dict(type="PixelTarget", normalize=normalize),
                    ),
                )
            ),
        )
    ).eval()  # fmt: skip
    encoder, decoder, head = ours.backbone, ours.necks["pixel"], ours.heads["pixel"]
    copy_blocks(theirs.videomae.encoder.layer, encoder.blocks)
    copy_blocks(theirs.decoder.decoder_layers, decoder.blocks)
    projection = theirs.videomae.embeddings.patch_embeddings.projection
    encoder.patch_embed.projection.load_state_dict(projection.state_dict())
    encoder.norm.load_state_dict(theirs.videomae.layernorm.state_dict())
    decoder.embed.load_state_dict(theirs.encoder_to_decoder.state_dict())
    decoder.mask_token.data.copy_(theirs.mask_token)
    decoder.norm.load_state_dict(theirs.decoder.norm.state_dict())
    head.projection.load_state_dict(theirs.decoder.head.state_dict())

    clip = torch.rand(2, 8, 3, 64, 64)
    clip = (clip - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    inputs = clip.transpose(1, 2).unsqueeze(1)  # [B, T, C, H, W] -> [B, 1, C, T, H, W]
    with torch.no_grad():
        torch.manual_seed(7)
        tokens, predictions = ours.reconstruct(inputs.flatten(0, 1))
        expected = theirs(clip, bool_masked_pos=tokens.mask)
        torch.manual_seed(7)
        loss = ours(inputs, mode="loss")["loss_pixel"]
    torch.testing.assert_close(predictions["pixel"], expected.logits, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(loss, expected.loss, rtol=1e-5, atol=1e-5)
