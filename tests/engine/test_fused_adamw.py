"""The fused optimizer takes AdamW's steps, and their states are each other's."""

import pytest
import torch
from mmaction.registry import OPTIMIZERS

from mmpmg.engine import FusedAdamW, fused_adamw


def weights(seed):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(7, 5), (11,), (3, 2, 4)]
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def groups(parameters):
    return [
        dict(params=parameters[:1]),
        dict(params=parameters[1:], weight_decay=0.0, lr=3e-3),
    ]


def step(optimizer, parameters, number):
    generator = torch.Generator().manual_seed(100 + number)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()


OPTIONS = dict(lr=1e-2, betas=(0.9, 0.95), weight_decay=0.05)


def test_it_takes_adamws_steps():
    ours, theirs = weights(0), weights(0)
    fused = FusedAdamW(groups(ours), **OPTIONS)
    plain = torch.optim.AdamW(groups(theirs), **OPTIONS, foreach=False)
    assert all(group["fused"] for group in fused.param_groups)
    for number in range(20):
        step(fused, ours, number)
        step(plain, theirs, number)
    for a, b, start in zip(ours, theirs, weights(0)):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
        assert (a - start).abs().max() > 0.01


@pytest.mark.parametrize("order", [0, 1])
def test_a_run_may_change_between_the_two(order):
    kinds = (FusedAdamW, torch.optim.AdamW)
    one, whole = weights(0), weights(0)
    first, reference = kinds[order](one, **OPTIONS), torch.optim.AdamW(whole, **OPTIONS)
    for number in range(5):
        step(first, one, number)
        step(reference, whole, number)
    second = kinds[1 - order](one, **OPTIONS)
    state = first.state_dict()
    state["param_groups"][0]["fused"] = second.param_groups[0]["fused"]
    second.load_state_dict(state)
    for number in range(5, 10):
        step(second, one, number)
        step(reference, whole, number)
    for a, b in zip(one, whole):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_an_older_torch_gets_plain_adamw(monkeypatch):
    monkeypatch.setattr(fused_adamw, "_FUSES_ON_CPU", False)
    parameters = weights(0)
    optimizer = OPTIMIZERS.build(dict(type="FusedAdamW", params=parameters, lr=0.1))
    assert not optimizer.param_groups[0]["fused"]
    step(optimizer, parameters, 0)
