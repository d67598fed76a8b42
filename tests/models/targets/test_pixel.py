import pytest
import torch
from reference.videomae_reference import cut, target

from mmpmg.models.targets import FlowTarget, PixelTarget, TemporalDifferenceTarget, WholeClip


def test_equals_the_loop_over_tokens_and_colours():
    pixels = torch.rand(2, 3, 4, 32, 32)
    masked = torch.tensor([[3, 0, 5], [7, 6, 1]])
    ours = PixelTarget((2, 16, 16))(WholeClip(pixels), masked)
    for b in range(2):
        blocks = cut(pixels[b], (2, 16, 16))
        for k, token in enumerate(masked[b]):
            torch.testing.assert_close(ours[b, k], target(blocks[token]), rtol=1e-5, atol=1e-5)


def test_mean_zero_and_unbiased_variance_one_for_each_colour():
    pixels = torch.rand(1, 3, 2, 16, 16) * torch.tensor([1.0, 0.1, 0.5]).view(1, 3, 1, 1, 1)
    values = PixelTarget((2, 16, 16))(WholeClip(pixels), torch.tensor([[0]])).view(512, 3)
    torch.testing.assert_close(values.mean(0), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(values.var(0, unbiased=True), torch.ones(3), rtol=1e-4, atol=0)


def test_constant_token_is_zero_and_finite():
    grey = WholeClip(torch.full((1, 3, 2, 16, 16), 0.5))
    values = PixelTarget((2, 16, 16))(grey, torch.tensor([[0]]))
    assert torch.equal(values, torch.zeros_like(values))


@pytest.mark.parametrize("level", [1, 77, 254])
def test_a_flat_token_that_a_device_rounds_is_zero_and_one_grey_level_is_not(level):
    ulps = torch.randint(-1, 2, (1, 3, 2, 16, 16), generator=torch.Generator().manual_seed(0))
    flat = torch.full((1, 3, 2, 16, 16), level / 255) * (1 + ulps * 2.0**-23)
    target, first = PixelTarget((2, 16, 16)), torch.tensor([[0]])
    values = target(WholeClip(flat.clone()), first)
    assert torch.equal(values, torch.zeros_like(values))
    flat[:, :, 0, 0, 0] += 1 / 255  # the least that eight bits can tell
    values = target(WholeClip(flat), first).view(512, 3)
    torch.testing.assert_close(values.std(0), torch.ones(3), rtol=0.01, atol=0)


def test_plain_pixels_without_normalisation():
    pixels = torch.rand(1, 3, 2, 16, 16)
    values = PixelTarget((2, 16, 16), normalize=False)(WholeClip(pixels), torch.tensor([[0]]))
    assert torch.equal(values[0, 0], pixels[0].permute(1, 2, 3, 0).flatten())


def test_number_of_values_at_videomae_size():
    assert PixelTarget((2, 16, 16)).num_values == 1536


@pytest.mark.parametrize("eps", [0, -1.0, float("nan"), float("inf")])
def test_eps_must_be_positive(eps):
    with pytest.raises(ValueError, match="eps"):
        PixelTarget((2, 16, 16), eps=eps)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (PixelTarget, "normalize"),
        (FlowTarget, "normalize"),
        (TemporalDifferenceTarget, "normalize"),
        (TemporalDifferenceTarget, "signed"),
    ],
)
@pytest.mark.parametrize("value", ["false", None, 1])
def test_a_word_is_no_flag(kind, key, value):
    with pytest.raises(ValueError, match=rf"head\.target: {key}={value!r} must be True or False"):
        kind((2, 16, 16), **{key: value})
