import pytest
import torch
from reference.videomae_reference import cut, target

from mmpmg.models.targets import PixelTarget, WholeClip


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


def test_plain_pixels_without_normalisation():
    pixels = torch.rand(1, 3, 2, 16, 16)
    values = PixelTarget((2, 16, 16), normalize=False)(WholeClip(pixels), torch.tensor([[0]]))
    assert torch.equal(values[0, 0], pixels[0].permute(1, 2, 3, 0).flatten())


def test_number_of_values_at_videomae_size():
    assert PixelTarget((2, 16, 16)).num_values == 1536


def test_eps_must_be_positive():
    with pytest.raises(ValueError, match="eps"):
        PixelTarget((2, 16, 16), eps=0)
