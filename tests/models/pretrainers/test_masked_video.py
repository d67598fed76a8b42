import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from reference.videomae_reference import pretrain

from mmpmg.models.targets import WholeClip
from mmpmg.models.tokens import unpatchify

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
CONFIG = dict(
    type="MaskedVideoPretrainer",
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=MEAN, std=STD, format_shape="NCTHW"
    ),
    masker=dict(type="TubeMasker", mask_ratio=0.75),
    backbone=dict(
        type="MaskedVisionTransformer", img_size=32, num_frames=4, patch_size=8,
        embed_dims=48, depth=2, num_heads=3, use_mean_pooling=False,
    ),
    branches=dict(
        pixel=dict(
            neck=dict(type="MAEDecoder", embed_dims=24, depth=2, num_heads=3),
            head=dict(type="MaskedRegressionHead", target=dict(type="PixelTarget")),
        )
    ),
)  # fmt: skip


def samples(*seeds):
    out = [ActionDataSample() for _ in seeds]
    for sample, seed in zip(out, seeds):
        sample.set_metainfo(dict(sample_seed=seed))
    return out


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(CONFIG))
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    clips = torch.randint(0, 256, (2, 1, 3, 4, 32, 32), generator=generator, dtype=torch.uint8)
    return dict(inputs=list(clips), data_samples=samples(11, 12))


def test_predictions_and_loss_equal_the_reference(model, batch):
    data = model.data_preprocessor(batch, training=True)
    clip = data["inputs"].flatten(0, 1)
    tokens, predictions = model.reconstruct(clip, data["data_samples"])
    loss = model(**data, mode="loss")["loss_pixel"]
    states = [
        part.state_dict() for part in (model.backbone, model.necks["pixel"], model.heads["pixel"])
    ]
    expected = [
        pretrain(
            clip[i], batch_pixels(batch)[i], tokens.mask[i], *states,
            depth=2, heads=3, decoder_heads=3, token_shape=(2, 8, 8),
        )
        for i in range(2)
    ]  # fmt: skip
    for i in range(2):
        torch.testing.assert_close(predictions["pixel"][i], expected[i][0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        loss, torch.stack([e[1] for e in expected]).mean(), rtol=1e-5, atol=1e-5
    )


def batch_pixels(batch):
    """The raw clips in [0, 1], from before any normalisation."""
    generator = torch.Generator().manual_seed(1)
    clips = torch.randint(0, 256, (2, 1, 3, 4, 32, 32), generator=generator, dtype=torch.uint8)
    return clips[:, 0].float() / 255


def test_every_parameter_gets_a_finite_gradient(model, batch):
    data = model.data_preprocessor(batch, training=True)
    sum(model(**data, mode="loss").values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_loss_is_blind_to_predictions_for_visible_tokens(model, batch):
    """Only masked tokens reach the head, and a visible token's pixels are in no target."""
    data = model.data_preprocessor(batch, training=True)
    tokens = model.draw(data["inputs"].flatten(0, 1), data["data_samples"])
    features = model.necks["pixel"](
        model.backbone(data["inputs"].flatten(0, 1), tokens.visible), tokens.visible, tokens.masked
    )
    assert features.shape[1] == int(0.75 * 16) * 2
    pixels = batch_pixels(batch)
    target = model.heads["pixel"].target
    noise = unpatchify(torch.rand(2, 32, 2 * 8 * 8, 3), (2, 4, 4), (2, 8, 8))
    hidden = unpatchify(
        tokens.mask[:, :, None, None].float().expand(-1, -1, 2 * 8 * 8, 3), (2, 4, 4), (2, 8, 8)
    )
    wanted = target(WholeClip(pixels), tokens.masked)
    assert torch.equal(target(WholeClip(pixels + noise * (1 - hidden)), tokens.masked), wanted)
    moved = target(WholeClip(pixels + noise * hidden), tokens.masked) - wanted
    assert (moved.abs().amax(2) > 0.01).all(), "some masked token is not read"


def test_a_sample_has_the_same_loss_in_any_batch(model, batch):
    data = model.data_preprocessor(batch, training=True)
    clip, both = data["inputs"], data["data_samples"]
    with torch.no_grad():
        together = model(clip, both, mode="loss")["loss_pixel"]
        alone = [model(clip[i : i + 1], both[i : i + 1], mode="loss")["loss_pixel"] for i in (0, 1)]
    torch.testing.assert_close(together, sum(alone) / 2, rtol=1e-5, atol=1e-6)


def test_several_views_of_a_sample_get_masks_of_their_own(model):
    clip = torch.zeros(2, 3, 3, 4, 32, 32)
    out = model(clip, samples(1, 2), mode="predict")
    for sample in out:
        assert sample.mask.shape == (3, 32)
        assert not torch.equal(sample.mask[0], sample.mask[1])
        assert sample.prediction["pixel"].shape == (3, 24, 2 * 8 * 8 * 3)


def test_samples_without_seeds_still_get_different_masks(model):
    clip = torch.zeros(4, 3, 4, 32, 32)
    torch.manual_seed(5)
    first = model.draw(clip, [ActionDataSample() for _ in range(4)]).mask
    again = model.draw(clip, [ActionDataSample() for _ in range(4)]).mask
    assert len({tuple(row.tolist()) for row in torch.cat((first, again))}) == 8
    torch.manual_seed(5)
    assert torch.equal(model.draw(clip, None).mask, first)


def test_pixels_undo_the_preprocessor(model, batch):
    data = model.data_preprocessor(batch, training=True)
    pixels = model.pixels(data["inputs"].flatten(0, 1))
    torch.testing.assert_close(pixels, batch_pixels(batch), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(masker=dict(type="TubeMasker", mask_ratio=0.01)), "masks 0 of the 16 units"),
        (dict(branches={}), "model.branches is empty"),
        (dict(branches=dict(pixel=None)), "model.branches is empty"),
        (
            dict(branches=dict(pixel=dict(CONFIG["branches"]["pixel"], loss_weight=2.0))),
            r"model.branches.pixel has neck, head, loss_weight",
        ),
        (
            dict(
                branches=dict(
                    pixel=dict(
                        CONFIG["branches"]["pixel"],
                        neck=dict(type="MAEDecoder", embed_dims=24, depth=0, num_heads=3),
                    )
                )
            ),
            r"depth 0 must be >= 1; mend model.branches.\*.neck.depth",
        ),
    ],
)
def test_illegal_recipes_raise_when_built(change, words):
    with pytest.raises(ValueError, match=words):
        MODELS.build({**copy.deepcopy(CONFIG), **change})


def test_clip_of_another_size_names_the_keys(model):
    with pytest.raises(ValueError, match="model.backbone.num_frames and img_size"):
        model(torch.zeros(1, 1, 3, 4, 64, 64), samples(1), mode="loss")


def test_mistyped_key_of_any_part_raises():
    config = copy.deepcopy(CONFIG)
    config["branches"]["pixel"]["neck"]["dept"] = 3
    with pytest.raises(TypeError, match="dept"):
        MODELS.build(config)
