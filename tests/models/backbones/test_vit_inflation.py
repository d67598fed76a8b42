"""A recipe's encoder starts from an image model's weights, or says why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import nn

from mmpmg.models.backbones import InflatedViT, MaskedVisionTransformer
from mmpmg.models.conversion.inflation import inflate_vit
from mmpmg.models.weight_files import write_weights

timm = pytest.importorskip("timm")
SIZES = dict(img_size=32, num_frames=4, patch_size=8, embed_dims=24, depth=2, num_heads=3)


@pytest.fixture(scope="module")
def image_model() -> nn.Module:
    torch.manual_seed(0)
    return timm.models.VisionTransformer(
        num_classes=5, img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=3
    ).eval()


def encoder_from(kind: type[nn.Module], file: Path, **options: Any) -> nn.Module:
    init_default_scope("mmaction")
    checkpoint = dict(type="InflatedViT", checkpoint=str(file))
    encoder = kind(**{**SIZES, **options}, init_cfg={**checkpoint})
    encoder.init_weights()
    return encoder.eval()


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("kind", [MaskedVisionTransformer, VisionTransformer])
def test_every_weight_of_the_encoder_comes_from_the_image_model(
    image_model, tmp_path, kind, ending
):
    file = write_weights(tmp_path / f"vit.{ending}", image_model.state_dict())
    encoder = encoder_from(kind, file)
    wanted = inflate_vit(image_model.state_dict(), (2, 4, 4)).state
    found = encoder.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def test_a_recipe_of_recognition_takes_it_and_trains_from_it(image_model, tmp_path):
    file = write_weights(tmp_path / "vit.pth", image_model.state_dict())
    init_default_scope("mmaction")
    model = MODELS.build(
        dict(
            type="Recognizer3D",
            backbone=dict(
                type="MaskedVisionTransformer", **SIZES,
                init_cfg=dict(type="InflatedViT", checkpoint=str(file), positions="image"),
            ),
            cls_head=dict(type="TimeSformerHead", in_channels=24, num_classes=3),
        )
    )  # fmt: skip
    model.init_weights()
    wanted = inflate_vit(image_model.state_dict(), (2, 4, 4), positions="image").state
    assert torch.equal(model.backbone.pos_embed, wanted["pos_embed"])
    model.backbone(torch.randn(1, 3, 4, 32, 32)).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in model.backbone.parameters())


@pytest.mark.parametrize(
    ("options", "words"),
    [(dict(embed_dims=48), r"becomes \(24,.*instead of \(48,"),
     (dict(depth=3), r"blocks\.2\..* is missing"), (dict(depth=1), r"blocks\.1\..* is left over"),
     (dict(patch_size=16), "becomes"), (dict(qkv_bias=False), "q_bias is left over")],
)  # fmt: skip
def test_an_encoder_of_another_size_is_refused_with_the_keys(image_model, tmp_path, options, words):
    file = write_weights(tmp_path / "vit.pth", image_model.state_dict())
    with pytest.raises(ValueError, match=rf"init_cfg\.checkpoint=.*vit\.pth.*{words}.*arch"):
        encoder_from(MaskedVisionTransformer, file, **options)


def test_another_model_for_images_a_missing_file_and_a_mistyped_name(tmp_path):
    other = write_weights(tmp_path / "resnet.pth", {"conv1.weight": torch.zeros(8, 3, 7, 7)})
    with pytest.raises(ValueError, match=r"resnet\.pth: no ViT for images.*conv1\.weight"):
        encoder_from(MaskedVisionTransformer, other)
    with pytest.raises(FileNotFoundError, match=r"none\.pth.*weights of a ViT.*timm:vit_base"):
        encoder_from(MaskedVisionTransformer, tmp_path / "none.pth")
    with pytest.raises(ValueError, match=r"no weights called vit_bas_p.*vit_base_patch"):
        InflatedViT("timm:vit_bas_patch16_224.augreg_in21k")(MaskedVisionTransformer(**SIZES))
    with pytest.raises(ValueError, match="names no weights.*timm:vit_base_patch16"):
        InflatedViT("")
