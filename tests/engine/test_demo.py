import pytest

from mmpmg.engine.demo import DemoError, check_loss


def test_a_falling_loss_passes():
    check_loss([1.2] * 10 + [1.0] * 10 + [0.95] * 10)


@pytest.mark.parametrize(
    "losses",
    [
        [1.2] * 30,  # nothing moved
        [1.2] * 10 + [0.999] * 20,  # no better than guessing each patch's mean
        [0.5] * 10 + [0.9] * 10,  # rose
        [1.2] * 10 + [float("nan")] * 10,
        [1.2, 0.5],  # too short to say
    ],
)
def test_a_model_that_learned_nothing_fails_loudly(losses):
    with pytest.raises(DemoError, match="Nothing was learned"):
        check_loss(losses)
