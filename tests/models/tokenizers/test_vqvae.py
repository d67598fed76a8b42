"""Tokenizers as modules: what a code depends on, what training sees, what is refused."""

import math

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope
from reference.videogpt_reference import decode, encode, nearest, random_state
from torch.nn import functional as F

from mmpmg.models.tokenizers import VQVAE2D, VQVAE3D, shrink
from mmpmg.models.tokenizers.encoder_decoder import strides_of

SMALL = dict(num_codes=16, code_dim=6, channels=8, layers=1)


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def clips(count=2, frames=8, size=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, frames, size, size, generator=generator)


def built(kind=VQVAE3D, seed=0, **options):
    """A tokenizer whose codes are of its own clips, so that they differ."""
    torch.manual_seed(seed)
    tokenizer = kind(**SMALL | options)
    tokenizer.train().loss(clips())
    return tokenizer.eval()


def test_features_codes_and_pictures_are_videogpt_s():
    """Against the layers written out from their description, place by place."""
    sizes = dict(num_codes=32, code_dim=6, channels=8, layers=2)
    state = random_state(**sizes)
    tokenizer = VQVAE3D(**sizes).double().eval()
    missing = tokenizer.load_state_dict(state, strict=False)
    assert missing.missing_keys == ["settings", "codebook.num_updates"]
    assert missing.unexpected_keys == []
    clip = torch.rand(1, 3, 4, 8, 12, generator=torch.Generator().manual_seed(1)).double()
    vectors = encode(state, clip - 0.5, layers=2)
    features = tokenizer.features(clip).movedim(1, -1)
    torch.testing.assert_close(
        tokenizer.code_vectors(features.flatten(0, 3)), vectors.movedim(1, -1).flatten(0, 3)
    )
    codes = tokenizer.encode(clip)
    assert codes.shape == (1, 2, 2, 3)
    table = state["codebook.embeddings"]
    assert codes.flatten().tolist() == nearest(vectors.movedim(1, -1).flatten(0, 3), table)
    picture = (decode(state, codes, layers=2) + 0.5).clamp(0, 1)
    torch.testing.assert_close(tokenizer.decode(codes).double(), picture, rtol=1e-6, atol=1e-6)


def test_strides_of_every_downsampling():
    assert strides_of((2, 4, 4)) == [(2, 2, 2), (1, 2, 2)]
    assert strides_of((1, 4, 4)) == [(1, 2, 2), (1, 2, 2)]
    assert strides_of((4, 4, 8)) == [(2, 2, 2), (2, 2, 2), (1, 1, 2)]


@pytest.mark.parametrize("kind", [VQVAE2D, VQVAE3D])
def test_a_clip_becomes_a_map_of_its_sides_over_the_stride(kind):
    tokenizer, clip = built(kind), torch.rand(2, 3, 6, 12, 20)
    codes = tokenizer.encode(clip)
    assert codes.shape == (2, 3, 3, 5)
    assert tokenizer.downsample == (2, 4, 4)
    assert codes.min() >= 0 and codes.max() < 16
    picture = tokenizer.decode(codes)
    assert picture.shape == clip.shape
    assert picture.min() >= 0 and picture.max() <= 1


def test_codes_of_lone_frames_are_those_of_the_first_frame_of_each_pair():
    tokenizer, clip = built(VQVAE2D), clips(1)
    codes = tokenizer.encode(clip)
    other = clip.clone()
    other[:, :, 1::2] = torch.rand(1, 3, 4, 16, 16)
    assert tokenizer.encode(other).equal(codes)
    other[:, :, 4] = torch.rand(1, 3, 16, 16)
    changed = tokenizer.encode(other).ne(codes).flatten(2).any(2)[0]
    assert changed.tolist() == [False, False, True, False]
    pictures = tokenizer.decode(codes)
    assert pictures[:, :, ::2].equal(pictures[:, :, 1::2])


def test_features_of_a_clip_depend_on_every_frame():
    tokenizer = built(VQVAE3D)
    clip = clips(1).requires_grad_()
    tokenizer.features(clip)[:, :, 0].square().sum().backward()
    assert clip.grad.abs().amax((0, 1, 3, 4)).gt(0).all()


@pytest.mark.parametrize("kind", [VQVAE2D, VQVAE3D])
def test_the_logged_numbers_are_those_of_what_encode_and_decode_give(kind):
    tokenizer, clip = built(kind, variance=0.05, commitment=0.5), clips(3, seed=5)
    log = tokenizer.loss(clip)
    codes = tokenizer.encode(clip)
    picture = tokenizer.decode(codes)
    errors = [(a - b).square().mean().item() for a, b in zip(picture, clip)]
    assert log["psnr"].item() == pytest.approx(
        sum(-10 * math.log10(error) for error in errors) / 3, rel=1e-4
    )
    assert log["codebook_usage"].item() == len(codes.unique()) / 16
    step = tokenizer.slot
    vectors = tokenizer.codebook.lookup(codes).movedim(-1, 1)
    raw = tokenizer.decoder(tokenizer.post_vq_conv(vectors)) + 0.5
    assert log["loss_reconstruction"].item() == pytest.approx(
        F.mse_loss(raw, clip[:, :, ::step]).item() / 0.05, rel=1e-4
    )
    rows = tokenizer.code_vectors(tokenizer.features(clip).movedim(1, -1).flatten(0, 3))
    distances = torch.cdist(rows, tokenizer.codebook.embeddings).amin(1).square()
    assert log["loss_commitment"].item() == pytest.approx(
        0.5 * distances.mean().item() / 6, rel=1e-3
    )


def test_only_the_two_losses_are_summed():
    total, log = built().parse_losses(built().loss(clips()))
    assert total.item() == pytest.approx(
        log["loss_reconstruction"].item() + log["loss_commitment"].item()
    )


def test_training_on_one_batch_halves_the_error():
    torch.manual_seed(0)
    tokenizer = VQVAE3D(num_codes=64, code_dim=8, channels=16, layers=1).train()
    grid = torch.linspace(0, 1, 16)
    clip = torch.stack([grid.expand(3, 8, 16, 16), 1 - grid.expand(3, 8, 16, 16)])
    optimizer = torch.optim.Adam(tokenizer.parameters(), lr=3e-3)
    history = []
    for _ in range(40):
        total, log = tokenizer.parse_losses(tokenizer.loss(clip))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(log["loss_reconstruction"].item())
    assert history[-1] < 0.5 * history[0]
    first = next(tokenizer.encoder.parameters())
    assert first.grad.abs().max() > 0, "the gradient passes the codebook"


def test_a_recipe_s_model_takes_views_and_shrinks_them():
    model = MODELS.build(dict(type="VQVAE3D", scale=2, **SMALL)).eval()
    views = torch.randint(0, 256, (2, 3, 3, 8, 32, 32)).float()
    codes = model(views)
    assert codes.equal(model.encode(shrink(views.flatten(0, 1) / 255, 2)))
    samples = model(views, [ActionDataSample(), ActionDataSample()], mode="predict")
    assert samples[1].codes.equal(codes[3:])
    assert samples[1].reconstruction.equal(model.decode(codes[3:]))
    with pytest.raises(ValueError, match="mode 'train'"):
        model(views, mode="train")


def test_shrinking_is_the_mean_over_squares_and_bilinear_halving():
    clip = clips(1, frames=3)
    small = shrink(clip, 2)
    assert small[0, 1, 2, 3, 5].item() == pytest.approx(
        clip[0, 1, 2, 6:8, 10:12].mean().item(), rel=1e-5
    )
    halved = F.interpolate(clip[:, :, 1], scale_factor=0.5, mode="bilinear", align_corners=False)
    torch.testing.assert_close(small[:, :, 1], halved)
    assert shrink(clip, 1) is clip
    with pytest.raises(ValueError, match="16 x 16 pixels are no multiple of scale=3"):
        shrink(clip, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(channels=7), "channels=7"),
        (dict(num_heads=3), "num_heads=3"),
        (dict(downsample=(2, 3, 4)), r"downsample=\(2, 3, 4\)"),
        (dict(downsample=(2, 2, 2)), "4 or more"),
        (dict(downsample=(4, 4)), "three powers of 2"),
        (dict(scale=0), "scale=0"),
        (dict(variance=0.0), "variance=0.0"),
        (dict(data_preprocessor=dict(mean=[1, 2, 3], std=[1, 1, 1])), "grey levels as they are"),
    ],
)
def test_an_option_out_of_its_range_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        VQVAE3D(**SMALL | options)


@pytest.mark.parametrize("shape", [(7, 16, 16), (8, 18, 16), (1, 16, 16), (8, 16, 2)])
def test_a_clip_that_does_not_divide_is_refused(shape):
    with pytest.raises(ValueError, match="multiple"):
        built().encode(torch.rand(1, 3, *shape))


def test_every_option_of_the_codebook_reaches_it_and_defaults_are_videogpt_s():
    book = VQVAE3D(**SMALL, decay=0.7, restart_below=0.3).codebook
    assert (book.num_codes, book.code_dim) == (16, 6)
    assert (book.decay, book.restart_below) == (0.7, 0.3)
    plain = VQVAE3D(**SMALL)
    assert (plain.codebook.decay, plain.codebook.restart_below) == (0.99, 1.0)
    assert (plain.variance, plain.commitment) == (0.06, 0.25)


def test_predicting_needs_no_samples():
    views = torch.randint(0, 256, (2, 1, 3, 8, 16, 16)).float()
    model = built()
    samples = model(views, None, mode="predict")
    assert len(samples) == 2 and samples[1].codes.equal(model(views)[1:])
