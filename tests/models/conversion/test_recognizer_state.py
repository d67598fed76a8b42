import pytest
import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from reference.token_codes import BrightnessCodes  # noqa: F401  registers it

from mmpmg.engine.encoder_export import export_encoder
from mmpmg.models.backbones import MaskedSwinTransformer3D, MaskedVisionTransformer
from mmpmg.models.checkpoint_fit import check_fit
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


SWIN = dict(
    arch=dict(embed_dims=12, depths=(1, 1, 2, 1), num_heads=(1, 2, 3, 4)), window_size=(2, 4, 4)
)


def pretrained_swin(out_indices, neck, **options):
    torch.manual_seed(0)
    head = dict(type="MaskedClassificationHead", target=dict(type="BrightnessCodes"))
    backbone = dict(
        type="MaskedSwinTransformer3D", img_size=64, num_frames=4, out_indices=out_indices,
        **{**SWIN, **options},
    )  # fmt: skip
    model = MODELS.build(
        dict(
            type="MaskTokenPretrainer",
            masker=dict(type="RandomMasker", mask_ratio=0.5),
            backbone=backbone,
            branches=dict(token=dict(neck=dict(type=neck), head=head)),
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.1)
    return model.eval()


def swin_recognizer(**backbone):
    init_default_scope("mmaction")
    return MODELS.build(
        dict(
            type="Recognizer3D",
            backbone={**SWIN, **backbone},
            cls_head=dict(type="I3DHead", in_channels=96, num_classes=3),
        )
    ).eval()


PLAIN = dict(type="SwinTransformer3D", pretrained2d=False)
OURS = dict(type="MaskedSwinTransformer3D", with_mask_token=False)


@pytest.mark.parametrize("kind", [PLAIN, OURS], ids=lambda kind: kind["type"])
@pytest.mark.parametrize(
    ("out_indices", "neck"), [((1, 3), "SwinDecoder"), ((1, 2, 3), "FusingSwinDecoder")]
)
def test_an_exported_swin_fits_with_nothing_missing_or_left_over(kind, out_indices, neck, tmp_path):
    model = pretrained_swin(out_indices, neck)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / "epoch_1.pth")
    out = export_encoder(tmp_path / "epoch_1.pth", tmp_path / "encoder.pth")
    state = torch.load(out, weights_only=True)["state_dict"]
    recognizer = swin_recognizer(**kind)
    result = recognizer.load_state_dict(state, strict=False)
    assert not result.unexpected_keys
    assert set(result.missing_keys) == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    clip = torch.randn(2, 3, 4, 64, 64)
    with torch.no_grad():
        features = recognizer.backbone(clip)
        assert torch.equal(features, model.extract_feat(clip)[-1]), "norm of the last map included"
    # load_from takes the whole checkpoint as well, and the encoder for another pre-training.
    check_fit(recognizer, state, "load_from=encoder.pth")
    check_fit(recognizer, model.state_dict(), "load_from=epoch_1.pth")
    check_fit(model, state, "load_from=encoder.pth")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(arch=dict(SWIN["arch"], embed_dims=24)), r"\(24, 3, 2, 4, 4\).*arch.*window_size"),
        (dict(arch=dict(SWIN["arch"], depths=(1, 1, 3, 1))), "left over.*layers.2.blocks.2"),
        (dict(arch=dict(SWIN["arch"], depths=(1, 1, 1, 1))), "missing.*layers.2.blocks.1"),
        (dict(window_size=(4, 4, 4)), "relative_position_bias_table.*window_size"),
    ],
)
def test_a_swin_of_another_size_is_refused_in_fine_tuning(options, words):
    state = recognizer_state(pretrained_swin((1, 3), "SwinDecoder", **options).state_dict())
    for kind in (PLAIN, OURS):
        with pytest.raises(ValueError, match=words):
            check_fit(swin_recognizer(**kind), state, "load_from=encoder.pth")


def test_a_swin_and_a_vit_are_told_apart(pretrained):
    for model, other in (
        (pretrained_swin((1, 3), "SwinDecoder"), MaskedVisionTransformer(**SIZE)),
        (pretrained, MaskedSwinTransformer3D(**SWIN, with_mask_token=False)),
    ):
        recognizer = torch.nn.ModuleDict(dict(backbone=other))
        with pytest.raises(ValueError, match="does not fi(t|ll) the recipe's model|no weight of"):
            check_fit(recognizer, recognizer_state(model.state_dict()), "load_from=encoder.pth")


def test_a_file_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"found: cls_head.*MaskedVideoPretrainer"):
        recognizer_state({"cls_head.weight": torch.zeros(1)})
    with pytest.raises(FileNotFoundError, match="no such"):
        export_encoder(tmp_path / "no such.pth", tmp_path / "out.pth")
