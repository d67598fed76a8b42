"""Activation checkpointing changes memory and nothing else."""

import pytest
import torch

from mmpmg.evaluation.memory_benchmark import saved_bytes
from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.necks import MAEDecoder

TOKENS = 2 * 4 * 4


def encoder(with_cp):
    torch.manual_seed(0)
    model = MaskedVisionTransformer(
        img_size=32, patch_size=8, num_frames=4, embed_dims=24, depth=6, num_heads=3,
        use_mean_pooling=False, drop_rate=0.1, drop_path_rate=0.3, with_cp=with_cp,
    )  # fmt: skip
    model.init_weights()
    return model.train()


def numbers(*range_):
    return torch.arange(*range_).expand(3, -1)


def decoder(with_cp):
    torch.manual_seed(0)
    model = MAEDecoder(24, TOKENS, embed_dims=12, depth=3, num_heads=2, with_cp=with_cp)
    model.init_weights()
    return model.train()


CASES = {
    "encoder": (encoder, lambda model, x: model(x, numbers(8)), (3, 3, 4, 32, 32)),
    "decoder": (
        decoder, lambda model, x: model(x, numbers(8), numbers(8, TOKENS)), (3, 8, 24),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_result_and_gradients_are_the_same_and_less_is_kept(case):
    build, forward, shape = CASES[case]
    found = []
    for with_cp in (False, True):
        model = build(with_cp)
        x = torch.randn(shape, generator=torch.Generator().manual_seed(1), requires_grad=True)
        torch.manual_seed(2)  # of dropout and drop path
        out = forward(model, x)
        out.square().sum().backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        kept = saved_bytes(lambda m=model, x=x: forward(m, x), [*model.parameters(), x])
        found.append((out, x.grad, gradients, kept))
    (out, grad, gradients, kept), (other, other_grad, other_gradients, less) = found
    assert torch.equal(out, other) and torch.equal(grad, other_grad)
    assert gradients.keys() == other_gradients.keys() and len(gradients) > 10
    assert all(torch.equal(g, other_gradients[name]) for name, g in gradients.items())
    assert less < 0.5 * kept


def test_nothing_is_computed_again_without_gradients():
    model = encoder(True)
    calls = []
    model.blocks[0].register_forward_pre_hook(lambda *_: calls.append(1))
    x = torch.randn(3, 3, 4, 32, 32)
    with torch.no_grad():
        model(x, numbers(8))
    assert len(calls) == 1
    model(x, numbers(8)).sum().backward()
    assert len(calls) == 3
