import torch

from mmpmg.models.token_noise import token_noise

WRAP = 2**64


def splitmix_finaliser(x):
    """The published constants on Python's unbounded integers, wrapped by hand."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % WRAP
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % WRAP
    return x ^ (x >> 31)


def test_bits_equal_unbounded_integer_arithmetic():
    golden = 0x9E3779B97F4A7C15
    seeds = [0, 1, 2**62 + 12345, 2**63 - 1]
    noise = token_noise(torch.tensor(seeds), 5, stream=3)
    for row, seed in enumerate(seeds):
        key = splitmix_finaliser((seed + golden * 7) % WRAP)
        for i in range(5):
            expected = splitmix_finaliser((key + (i + 1) * golden) % WRAP)
            assert noise[row, i].item() % WRAP == expected


def test_a_sample_draws_the_same_in_any_batch():
    seeds = torch.arange(1000, 1016)
    together = token_noise(seeds, 9)
    alone = torch.cat([token_noise(seed[None], 9) for seed in seeds])
    assert torch.equal(together, alone)


def test_uniform_and_uncorrelated_across_tokens_and_seeds():
    noise = token_noise(torch.arange(4000), 8).double() / 2**63
    assert noise.mean(0).abs().max() < 5 * (2 / 12**0.5) / 4000**0.5
    correlation = torch.corrcoef(torch.cat((noise[:-1], noise[1:]), dim=1).T)
    off_diagonal = correlation - torch.eye(16, dtype=torch.float64)
    assert off_diagonal.abs().max() < 5 / 4000**0.5


def test_streams_are_independent():
    seeds = torch.arange(4000)
    a, b = (token_noise(seeds, 1, stream=s)[:, 0].double() for s in (0, 1))
    assert torch.corrcoef(torch.stack((a, b)))[0, 1].abs() < 5 / 4000**0.5
