"""The arithmetic of a training step, and how fast the machine multiplies matrices at best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmpmg.evaluation.timing import alternate, device_clock

SQUARES: Mapping[str, Sequence[int]] = {
    "cpu": (1024, 2048, 3072),
    "cuda": (4096, 8192, 16384),
}
TARGET_SECONDS = 0.1  # of one timing: shorter ones drown in the calls


class Product(NamedTuple):
    """Sides of a matrix product: (rows, inner) by (inner, columns)."""

    rows: int
    inner: int
    columns: int

    @property
    def flops(self) -> int:
        """Additions and multiplications."""
        return 2 * self.rows * self.inner * self.columns


def count_flops(loss: Callable[[], Tensor]) -> int:
    """Count the additions and multiplications of forward and backward.

    Matrix products, convolutions and attention count; the rest is a percent. Attention counts as
    its own products, without what fused kernels compute again in the backward pass: what the model
    needs, however it is run.

    Args:
        loss: Computes a loss that depends on parameters.
    """
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        loss().backward()
    return int(counter.get_total_flops())


def multiplying(
    products: Sequence[Product], device: str, dtype: torch.dtype
) -> tuple[Callable[[int], None], int]:
    """Make a side to be timed that computes these products, over and over for a while.

    Args:
        products: At least one.
        device: "cpu" or "cuda".
        dtype: Of the matrices.

    Returns:
        The side, and the additions and multiplications that it does.
    """
    pairs = [
        (
            torch.randn(p.rows, p.inner, device=device).to(dtype),
            torch.randn(p.inner, p.columns, device=device).to(dtype),
        )
        for p in products
    ]

    def multiply(times: int) -> None:
        for _ in range(times):
            for a, b in pairs:
                torch.mm(a, b)

    clock = device_clock(device)
    once = min(alternate({"": lambda _: multiply(1)}, 2, 1, clock)[""])
    times = max(1, math.ceil(TARGET_SECONDS / once))
    return lambda _: multiply(times), times * sum(product.flops for product in products)


def best_square(device: str, dtype: torch.dtype, rounds: int = 3) -> Product:
    """Find the big square that the device multiplies at the highest rate."""
    squares = [Product(side, side, side) for side in SQUARES[device]]
    rates = {}
    for square in squares:
        side, flops = multiplying([square], device, dtype)
        rates[square] = flops / min(alternate({"": side}, rounds, 1, device_clock(device))[""])
    return max(squares, key=lambda square: rates[square])


def block_products(tokens: int, width: int, blocks: int, batch: int) -> list[Product]:
    """List the matrix products of linear layers in transformer blocks, forward and backward.

    Each layer of (inner, columns) weights multiplies three times: activations by weights; their
    gradient by the weights, transposed; and activations, transposed, by the gradient.

    Args:
        tokens: Of a sample.
        width: Of the blocks; the MLP is four times as wide.
        blocks: How many.
        batch: Samples.
    """
    rows = tokens * batch
    layers = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    once = [
        product
        for inner, columns in layers
        for product in (
            Product(rows, inner, columns),
            Product(rows, columns, inner),
            Product(inner, rows, columns),
        )
    ]
    return once * blocks
