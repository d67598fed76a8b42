import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmpmg.models.recomputed_linear import as_on_gpu, gelu_linear, norm_linear


@pytest.fixture(autouse=True)
def on_gpu():
    with as_on_gpu():
        yield


@pytest.fixture
def parts():
    torch.manual_seed(0)
    norm = nn.LayerNorm(6, eps=1e-6).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = torch.randn(2, 5, 6, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(4, dtype=torch.float64, requires_grad=True)
    return x, norm, weight, bias


def kept(function):
    """Bytes that a forward pass keeps, parameters and input apart."""
    storages = {}

    def pack(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = function()
    return storages, out


def test_gradients_are_those_of_finite_differences(parts):
    x, norm, weight, bias = parts
    assert torch.autograd.gradcheck(gelu_linear, (x, weight, bias))

    def through_norm(x, gain, offset, weight, bias):
        norm.weight, norm.bias = gain, offset
        return norm_linear(x, norm, weight, bias)

    gain, offset = norm.weight.detach().requires_grad_(), norm.bias.detach().requires_grad_()
    del norm.weight, norm.bias  # or only parameters could take their places
    assert torch.autograd.gradcheck(through_norm, (x, gain, offset, weight, bias))


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
def test_values_and_gradients_equal_the_plain_layers(bf16, with_bias):
    torch.manual_seed(1)
    norm, layer = nn.LayerNorm(32), nn.Linear(32, 24, bias=with_bias)
    x = torch.randn(3, 7, 32)
    results = []
    for ours in (True, False):
        for part in (norm, layer):
            part.zero_grad()
        leaf = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            if ours:
                middle = norm_linear(leaf, norm, layer.weight, layer.bias)
                out = gelu_linear(middle, layer.weight.t(), None)
            else:
                middle = F.linear(norm(leaf), layer.weight, layer.bias)
                out = F.linear(F.gelu(middle), layer.weight.t())
        out.float().square().sum().backward()
        parameters = [*norm.parameters(), *layer.parameters()]
        results.append([out.detach(), leaf.grad, *(p.grad.clone() for p in parameters)])
    for mine, plain in zip(*results, strict=True):
        assert mine.dtype == plain.dtype
        tolerance = dict(rtol=0.02, atol=0.3) if bf16 else dict(rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(mine, plain, **tolerance)


def test_what_is_kept_is_the_input_alone(parts):
    x, norm, weight, bias = parts
    known = {t.untyped_storage().data_ptr() for t in (x, weight, bias, norm.weight, norm.bias)}
    storages, _out = kept(lambda: gelu_linear(x, weight, bias))
    assert set(storages) <= known
    storages, _out = kept(lambda: norm_linear(x, norm, weight, bias))
    extra = [size for place, size in storages.items() if place not in known]
    assert extra == [2 * 5 * 8] * 2, "a mean and a deviation for each token"
    plain, _out = kept(lambda: F.linear(norm(x), weight, bias))
    assert sum(plain.values()) > sum(storages.values())


def test_frozen_weights_get_no_gradient_and_the_input_still_does(parts):
    x, norm, weight, bias = parts
    norm.requires_grad_(False)
    gelu_linear(
        norm_linear(x, norm, weight.detach(), None), bias.detach()[None], None
    ).sum().backward()
    assert x.grad.abs().sum() > 0
    assert weight.grad is None and norm.weight.grad is None


def test_a_cpu_keeps_what_gelu_gives_and_a_gpu_does_not(parts, monkeypatch):
    x, _norm, weight, bias = parts
    known = {t.untyped_storage().data_ptr() for t in (x, weight, bias)}
    gpu, out = kept(lambda: gelu_linear(x, weight, bias))
    monkeypatch.setattr("mmpmg.models.recomputed_linear._devices_that_keep_gelu", {"cpu"})
    cpu, same = kept(lambda: gelu_linear(x, weight, bias))
    assert not set(gpu) - known
    assert [size for place, size in cpu.items() if place not in known] == [x.numel() * 8]
    assert torch.equal(out, same)
    with as_on_gpu():
        again, _out = kept(lambda: gelu_linear(x, weight, bias))
    assert set(again) == set(gpu)
