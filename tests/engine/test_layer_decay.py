import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmpmg.models.backbones import MaskedVisionTransformer


class Recognizer(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.backbone = MaskedVisionTransformer(
            img_size=32, num_frames=4, embed_dims=12, depth=depth, num_heads=2
        )
        self.cls_head = nn.Linear(12, 2)


def rates(depth, **options):
    model = Recognizer(depth)
    wrapper = build_optim_wrapper(
        model,
        dict(
            type="AutocastOptimWrapper", constructor="EncoderLayerDecayConstructor",
            optimizer=dict(type="AdamW", lr=1.0),
            paramwise_cfg=dict(decay_rate=0.5, decay_type="layer_wise", **options),
        ),
    )  # fmt: skip
    rate = {id(p): g["lr"] for g in wrapper.param_groups for p in g["params"]}
    return {name: rate[id(p)] for name, p in model.named_parameters()}


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_rates_halve_from_the_classifier_down_to_the_patches(depth):
    found = rates(depth)
    assert found["cls_head.weight"] == found["backbone.fc_norm.weight"] == 1
    for block in range(depth):
        expected = 0.5 ** (depth - block)
        assert found[f"backbone.blocks.{block}.attn.qkv.weight"] == pytest.approx(expected)
    assert found["backbone.patch_embed.projection.weight"] == pytest.approx(0.5 ** (depth + 1))


def test_a_wrong_number_of_layers_and_a_mistyped_key_are_refused():
    with pytest.raises(ValueError, match=r"num_layers=12.*3 blocks"):
        rates(3, num_layers=12)
    with pytest.raises(ValueError, match="decay_rat is unknown"):
        rates(3, decay_rat=0.9)


torch.manual_seed(0)
