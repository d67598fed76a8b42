"""Our block beside MMAction2's own, with the same parameters."""

import copy

import pytest
import torch
from mmaction.models.backbones.vit_mae import Block
from mmengine.model import ModuleList

from mmpmg.models.attention import FusedBlock, fuse_blocks


def pair(**settings):
    torch.manual_seed(0)
    plain = Block(24, 3, **settings)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    fused = ModuleList([copy.deepcopy(plain)])
    fuse_blocks(fused)
    assert isinstance(fused[0], FusedBlock)
    return plain.double(), fused[0].double()


def outcome(block, x, *more):
    leaf = x.clone().requires_grad_()
    out = block(leaf, *more)
    out = out if more else out[:, 4:]
    block.zero_grad()
    out.pow(3).sum().backward()
    return [out.detach(), leaf.grad, *(p.grad.clone() for p in block.parameters())]


@pytest.mark.parametrize(
    "settings", [dict(), dict(init_values=0.5), dict(qkv_bias=False), dict(qk_scale=0.3)]
)
def test_outputs_and_gradients_equal_mmaction2_s(settings):
    plain, fused = pair(**settings)
    x = torch.randn(2, 9, 24, dtype=torch.float64)
    assert list(plain.state_dict()) == list(fused.state_dict())
    expected = outcome(plain, x)
    for ours in (outcome(fused, x), outcome(fused, x, 4)):
        for mine, theirs in zip(ours, expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)


def test_dropout_of_the_hidden_layer_is_kept():
    plain, fused = pair(drop_rate=0.5)
    x = torch.randn(2, 9, 24, dtype=torch.float64)
    torch.manual_seed(3)
    expected = plain(x)
    torch.manual_seed(3)
    torch.testing.assert_close(fused(x), expected)
    assert not torch.allclose(fused(x), expected)
    torch.testing.assert_close(fused.eval()(x), plain.eval()(x))
