"""The regression head's loss: against float64, its weight, and its precision under autocast."""

import pytest
import torch

from mmpmg.models.heads.masked_regression import MaskedRegressionHead, mean_square
from mmpmg.models.targets import WholeClip


def test_squares_of_a_whole_batch_are_averaged_precisely():
    # As many values as ViT-B's step at 32 clips; a float32 sum of all in turn is 0.3 % too small.
    difference = torch.randn(20_000, 1536, generator=torch.Generator().manual_seed(0))
    difference.requires_grad_()
    loss = mean_square(difference)
    loss.backward()
    exact = sum(float(part.double().square().sum()) for part in difference.detach().split(1000))
    assert float(loss.detach()) == pytest.approx(exact / difference.numel(), rel=1e-6)
    expected = difference.detach()[::199].double() * (2 / difference.numel())
    torch.testing.assert_close(difference.grad[::199].double(), expected, rtol=1e-5, atol=0)


def head(**options):
    torch.manual_seed(0)
    made = MaskedRegressionHead(
        dict(type="PixelTarget"), in_channels=6, token_shape=(2, 4, 4), **options
    )
    made.init_weights()
    return made


def batch():
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(2, 3, 6, generator=generator)
    pixels = torch.rand(2, 3, 4, 8, 8, generator=generator)
    return features, WholeClip(pixels), torch.tensor([[0, 3, 7], [1, 2, 6]])


@pytest.mark.parametrize("loss", ["mse", "l1", "smooth_l1"])
def test_loss_and_gradients_grow_with_its_weight(loss):
    once, thrice = head(loss=loss), head(loss=loss, loss_weight=3.0)
    losses = [each.loss(*batch()) for each in (once, thrice)]
    for value in losses:
        value.backward()
    torch.testing.assert_close(losses[1], 3 * losses[0])
    torch.testing.assert_close(thrice.projection.weight.grad, 3 * once.projection.weight.grad)


def test_prediction_in_low_precision_meets_the_target_in_float32():
    made = head()
    features, clip, masked = batch()
    with torch.autocast("cpu", torch.bfloat16):
        loss = made.loss(features, clip, masked)
        prediction = made(features)
    assert prediction.dtype == torch.bfloat16 and loss.dtype == torch.float32
    loss.backward()
    target = made.target(clip, masked)
    expected = (prediction.detach().double() - target.double()).square().mean()
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-6)
    bias = (prediction.detach().double() - target.double()).sum((0, 1)) * (2 / prediction.numel())
    torch.testing.assert_close(made.projection.bias.grad.double(), bias, rtol=0.03, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_those_of_the_mean_square(dtype):
    made = head(loss_weight=0.7).to(dtype)
    features, clip, masked = batch()
    features, clip = features.to(dtype).requires_grad_(), WholeClip(clip.pixels.to(dtype))
    made.loss(features, clip, masked).backward()
    kept = [p.grad.clone() for p in (features, *made.parameters())]
    features.grad = None
    made.zero_grad()
    (0.7 * (made.target(clip, masked) - made(features)).square().mean()).backward()
    torch.testing.assert_close(kept, [p.grad for p in (features, *made.parameters())])


@pytest.mark.parametrize(("enabled", "size"), [(True, 2), (False, 4)])
def test_loss_keeps_one_difference_in_the_precision_of_the_prediction(enabled, size):
    made = head()
    features, clip, masked = batch()
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with (
        torch.autocast("cpu", torch.bfloat16, enabled=enabled),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
    ):
        loss = made.loss(features, clip, masked)
    values = [tensor for tensor in kept.values() if tensor.shape[-1] == made.target.num_values]
    assert [tensor.element_size() for tensor in values] == [size]
    del loss


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight):
    with pytest.raises(ValueError, match=r"mend model\.branches\.\*\.head\.loss_weight"):
        head(loss_weight=weight)
