"""Maskers of somebody's own that do not keep to their word are named by the pretrainers."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from reference.tiny_pretrainer import tiny_pretrainer
from torch import nn

from mmpmg.models.maskers import TubeMasker, UniformMasker
from mmpmg.models.pretrainers import masked_video

GRID = (4, 4, 4)  # of the tiny pretrainer


class SlotOnly(TubeMasker):
    """Forgets to repeat the places for every slot."""

    def spread(self, units, grid):
        return units


class Uneven(UniformMasker):
    """Units of different size: the first stands for all tokens but a few."""

    def units(self, grid):
        return 4

    def spread(self, units, grid):
        numbers = (torch.arange(grid[0] * grid[1] * grid[2]) - 60).clamp(min=0)
        return units[:, numbers]


class Given(nn.Module):
    """Hands over what it was given."""

    def __init__(self, mask, told=32):
        super().__init__()
        self.mask, self.told = mask, told

    def num_masked(self, grid):
        return self.told

    def forward(self, seeds, grid, samples=None):
        return self.mask


HALF = torch.arange(64).lt(32).expand(2, 64)


@pytest.fixture(scope="module")
def model():
    init_default_scope("mmaction")
    return MODELS.build(tiny_pretrainer(width=12, decoder_depth=1))


def draw(model, masker, second=None):
    torch.manual_seed(0)
    model.masker, model.decoder_masker, model._counted = masker, second, None
    return model.draw(torch.zeros(2, 3, 8, 32, 32))


@pytest.mark.parametrize(
    ("masker", "told"),
    [
        (SlotOnly(0.5), r"SlotOnly returned \(2, 16\) bool on cpu .*\(2, 64\).*SlotOnly\.spread"),
        (Given(HALF.float()), r"Given returned \(2, 64\) float32 .* bool on cpu.*Mend Given, or"),
        (Given(HALF[0]), r"Given returned \(64,\) bool"),
        (Given(HALF.numpy()), "Given returned a ndarray"),
        (Given(HALF.to("meta")), r"\(2, 64\) bool on meta .*bool on cpu"),
    ],
    ids=["places", "numbers", "one sample", "no tensor", "elsewhere"],
)
def test_a_mask_of_another_shape_or_kind_is_refused(model, masker, told):
    with pytest.raises(ValueError, match=told) as error:
        draw(model, masker)
    assert "(t, h, w) = (4, 4, 4)" in str(error.value)
    assert "model.masker in the recipe" in str(error.value)
    with pytest.raises(ValueError, match=r"model\.decoder_masker in the recipe"):
        draw(model, Given(HALF), masker)


@pytest.mark.parametrize(
    ("masker", "told"),
    [
        (Given(HALF, 31), r"masks 32 of 64 tokens of a sample, where its num_masked says 31"),
        (Given(torch.stack([HALF[0], torch.arange(64) < 40])), "masks between 32 and 40 of 64"),
        (Uneven(0.5), r"Uneven masks .* Mend Uneven\.spread or Uneven\.units"),
    ],
    ids=["one off", "of one sample", "unlike units"],
)
def test_a_mask_of_another_count_is_refused(model, masker, told):
    with pytest.raises(ValueError, match=told):
        draw(model, masker)


def test_masks_that_are_as_told_are_split(model):
    tokens = draw(model, Given(HALF))
    assert tokens.masked.tolist() == [list(range(32))] * 2
    assert tokens.visible.tolist() == [list(range(32, 64))] * 2


def test_a_mask_that_goes_wrong_later_is_refused_on_a_cpu(model):
    draw(model, masker := Given(HALF))
    masker.mask = HALF.flip(1) & (torch.arange(64) > 60)
    with pytest.raises(ValueError, match="masks 3 of 64 .* says 32"):
        model.draw(torch.zeros(2, 3, 8, 32, 32))


def test_a_device_is_asked_once_for_each_number(model, monkeypatch):
    """At every step it would stall."""
    asked = []
    monkeypatch.setattr(
        masked_video, "check_count", lambda mask, masker, grid: asked.append(masker.told)
    )
    clip = torch.zeros(2, 3, 8, 32, 32, device="meta")  # of which nothing can be read
    model.masker, model.decoder_masker, model._counted = Given(HALF.to("meta")), None, None
    for told in (32, 32, 31, 31, 32):  # as MaskingRatioHook changes it
        model.masker.told = told
        model.draw(clip)
    assert asked == [32, 31, 32]
