import pytest
import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from mmaction.registry import MODELS

from mmpmg.engine.encoder_export import export_encoder
from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.conversion import recognizer_state

SIZE = dict(img_size=32, num_frames=4, patch_size=8, embed_dims=24, depth=2, num_heads=3)


@pytest.fixture
def pretrained():
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type="MaskedVideoPretrainer",
            masker=dict(type="TubeMasker", mask_ratio=0.5),
            backbone=dict(type="MaskedVisionTransformer", use_mean_pooling=False, **SIZE),
            branches=dict(
                pixel=dict(
                    neck=dict(type="MAEDecoder", embed_dims=12, depth=1, num_heads=2),
                    head=dict(type="MaskedRegressionHead", target=dict(type="PixelTarget")),
                )
            ),
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.1)
    return model


@pytest.mark.parametrize("kind", [VisionTransformer, MaskedVisionTransformer])
def test_exported_encoder_fits_with_nothing_missing_or_left_over(pretrained, kind, tmp_path):
    torch.save(dict(state_dict=pretrained.state_dict(), optimizer={}), tmp_path / "epoch_1.pth")
    out = export_encoder(tmp_path / "epoch_1.pth", tmp_path / "new folder" / "encoder.pth")
    state = torch.load(out, weights_only=True)["state_dict"]
    backbone = kind(**SIZE)
    backbone.load_state_dict({k.removeprefix("backbone."): v for k, v in state.items()})
    source = pretrained.backbone.state_dict()
    for key, value in backbone.state_dict().items():
        if key == "fc_norm.weight":
            assert torch.equal(value, torch.ones(24))
        elif key == "fc_norm.bias":
            assert torch.equal(value, torch.zeros(24))
        else:
            assert torch.equal(value, source[key]), key
    assert sorted(p.name for p in out.parent.iterdir()) == ["encoder.pth"]


def test_features_are_those_of_pretraining_up_to_its_closing_norm(pretrained):
    """Mean of the tokens before `norm`, then a fresh LayerNorm."""
    state = recognizer_state(pretrained.state_dict())
    recognizer = MaskedVisionTransformer(**SIZE)
    recognizer.load_state_dict({k.removeprefix("backbone."): v for k, v in state.items()})
    clip = torch.randn(2, 3, 4, 32, 32)
    pretrained.backbone.norm = torch.nn.Identity()
    tokens = pretrained.extract_feat(clip)
    expected = torch.nn.functional.layer_norm(tokens.mean(1), (24,), eps=1e-6)
    torch.testing.assert_close(recognizer(clip), expected, rtol=1e-5, atol=1e-5)


def test_a_file_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"found: cls_head.*MaskedVideoPretrainer"):
        recognizer_state({"cls_head.weight": torch.zeros(1)})
    with pytest.raises(FileNotFoundError, match="no such"):
        export_encoder(tmp_path / "no such.pth", tmp_path / "out.pth")
