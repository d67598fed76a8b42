"""Targets of somebody's own whose field is not what they say of it are named."""

import pytest
import torch

from mmpmg.models.targets import TokenTarget, WholeClip

CLIP = WholeClip(torch.rand(2, 3, 8, 16, 24, generator=torch.Generator().manual_seed(0)))
FIRST = torch.tensor([[0, 5], [1, 2]])


class Own(TokenTarget):
    """A field made of the clip by any function."""

    def __init__(self, make, **options):
        super().__init__((2, 8, 8), normalize=False, eps=1e-6, **options)
        self.make = make

    def field(self, clip):
        return self.make(clip.pixels)


@pytest.mark.parametrize(
    ("target", "returned", "wanted"),
    [
        (Own(lambda x: x[:, :, 1:-1]), "(2, 3, 6, 16, 24)", "(2, 3, 8, 16, 24)"),
        (Own(lambda x: x, channels=1), "(2, 3, 8, 16, 24)", "(2, 1, 8, 16, 24)"),
        (Own(lambda x: x[..., ::4, ::4], cell=2), "(2, 3, 8, 4, 6)", "(2, 3, 8, 8, 12)"),
        (Own(lambda x: x[0]), "(3, 8, 16, 24)", "(2, 3, 8, 16, 24)"),
    ],
    ids=["time", "channels", "cell", "batch"],
)
def test_a_field_of_another_shape_is_refused(target, returned, wanted):
    with pytest.raises(ValueError, match=r"^Own\.field returned") as error:
        target(CLIP, FIRST)
    assert f"returned {returned};" in str(error.value)
    assert f" = {wanted}," in str(error.value)
    assert "model.branches.*.head.target" in str(error.value)


def test_fields_that_are_as_told_are_cut():
    target = Own(lambda x: x.mean(1, keepdim=True), channels=1)
    torch.testing.assert_close(target(CLIP, FIRST)[0, 0, 0], CLIP.pixels[0, :, 0, 0, 0].mean())
    coarse = Own(lambda x: x[..., ::2, ::2], cell=2)
    assert coarse(CLIP, FIRST).shape == (2, 2, coarse.num_values) == (2, 2, 2 * 4 * 4 * 3)


def unknown_end(x):
    return torch.cat((x[:, :, :-1], torch.full_like(x[:, :, -1:], torch.nan)), 2)


def test_nan_is_for_targets_that_leave_something_out():
    """It would become the loss, whose message can only speak of the learning rate."""
    target = Own(unknown_end)
    for _ in range(2):  # whoever goes on after the first is told again
        with pytest.raises(ValueError, match=r"Own\.field holds NaN.*leaves_out=True"):
            target(CLIP, FIRST)  # token 0 and those beside it are known
    assert Own(unknown_end, leaves_out=True)(CLIP, torch.tensor([[23], [23]])).isnan().any()


def test_only_the_first_field_is_looked_into():
    """Asking a device at every step would stall it."""
    target = Own(lambda x: x)
    target(CLIP, FIRST)
    target.make = unknown_end
    assert target(CLIP, torch.tensor([[23], [23]])).isnan().any()
