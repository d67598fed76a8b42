"""Linear layers behind a cheap function, which is computed again rather than kept.

A transformer block keeps sixteen numbers for each of its C channels until the backward pass. Six of
them are what its norms and its GELU give to the linear layers behind, which the backward pass can
have again from what it needs anyway. A norm costs next to nothing; a GELU costs a CPU a fifth of
the linear layer behind it, so there, where memory is seldom short, its output is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_devices_that_keep_gelu = {"cpu"}


@contextmanager
def as_on_gpu() -> Iterator[None]:
    """Within this context compute GELU again on a CPU too, to count what a GPU would keep."""
    before = set(_devices_that_keep_gelu)
    _devices_that_keep_gelu.clear()
    try:
        yield
    finally:
        _devices_that_keep_gelu.update(before)


def _linear_backward(
    grad: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, wanted: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients of ``F.linear(x, weight, bias)`` with respect to the three, where wanted.

    Under autocast ``grad`` is of the low precision, and the products are formed in it as they are
    in an ordinary linear layer.
    """
    rows = grad.flatten(0, -2)
    grad_x = grad @ weight.to(grad.dtype) if wanted[0] else None
    grad_weight = grad_bias = None
    if wanted[1]:
        grad_weight = (rows.t() @ x.to(grad.dtype).flatten(0, -2)).to(weight.dtype)
    if bias is not None and wanted[2]:
        grad_bias = rows.sum(0).to(bias.dtype)
    return grad_x, grad_weight, grad_bias


class _GeluLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        return F.linear(F.gelu(x), weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight, bias = ctx.saved_tensors
        activated = F.gelu(x)
        grads = _linear_backward(grad, activated, weight, bias, ctx.needs_input_grad)
        grad_x = None
        if grads[0] is not None:
            grad_x = torch.ops.aten.gelu_backward(grads[0].to(x.dtype), x)
        return grad_x, *grads[1:]


class _NormLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gain: Tensor,
        offset: Tensor,
        eps: float,
        weight: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        normed, mean, rstd = torch.native_layer_norm(x, x.shape[-1:], gain, offset, eps)
        ctx.save_for_backward(x, gain, offset, mean, rstd, weight, bias)
        ctx.eps = eps
        return F.linear(normed, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, gain, offset, mean, rstd, weight, bias = ctx.saved_tensors
        normed = F.layer_norm(x, x.shape[-1:], gain, offset, ctx.eps)
        wanted = ctx.needs_input_grad
        inner = (any(wanted[:3]), *wanted[4:])
        grad_normed, grad_weight, grad_bias = _linear_backward(grad, normed, weight, bias, inner)
        grads: tuple[Tensor | None, ...] = (None, None, None)
        if grad_normed is not None:
            grads = torch.ops.aten.native_layer_norm_backward(
                grad_normed.to(x.dtype), x, x.shape[-1:], mean, rstd, gain, offset, wanted[:3]
            )
        return *grads, None, grad_weight, grad_bias


def gelu_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``F.linear(F.gelu(x), weight, bias)``; a GPU keeps ``x`` and not ``F.gelu(x)``.

    Args:
        x: (..., C).
        weight: (out, C).
        bias: (out,).

    Returns:
        (..., out).
    """
    # A compiler decides by itself what to compute again.
    if torch.compiler.is_compiling() or x.device.type in _devices_that_keep_gelu:
        return F.linear(F.gelu(x), weight, bias)
    return _GeluLinear.apply(x, weight, bias)


def norm_linear(x: Tensor, norm: nn.LayerNorm, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``F.linear(norm(x), weight, bias)``, keeping ``x`` and not ``norm(x)``.

    Args:
        x: (..., C).
        norm: Layer norm over the last axis, with weight and bias.
        weight: (out, C).
        bias: (out,).

    Returns:
        (..., out).
    """
    if torch.compiler.is_compiling() or x.dtype is not norm.weight.dtype:
        return F.linear(norm(x), weight, bias)
    return _NormLinear.apply(x, norm.weight, norm.bias, norm.eps, weight, bias)
