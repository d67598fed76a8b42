import logging

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.optim import OptimWrapper
from torch import nn

from mmpmg.engine.hooks import SampleNamesHook
from mmpmg.engine.optim_wrapper import AutocastOptimWrapper, NonFiniteLossError


def make(settings=None, kind=AutocastOptimWrapper):
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    return model, kind(optimizer, **(settings or {}))


def steps(model, wrapper, inputs):
    for x in inputs:
        with wrapper.optim_context(model):
            loss = model(x).square().mean()
        wrapper.update_params(loss)
    return torch.cat([p.detach().flatten() for p in model.parameters()])


GOOD = list(torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(0)))
NAN = torch.full((4, 3), float("nan"))


def test_on_a_cpu_it_is_mmengine_s_wrapper():
    settings = dict(accumulative_counts=2, clip_grad=dict(max_norm=0.1))
    ours = steps(*make(dict(settings, clip_grad=dict(max_norm=0.1))), GOOD)
    theirs = steps(*make(dict(settings, clip_grad=dict(max_norm=0.1)), OptimWrapper), GOOD)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_stop_names_iteration_and_samples_and_leaves_the_weights(value):
    model, wrapper = make()
    before = [p.clone() for p in model.parameters()]
    wrapper.message_hub.update_info("iter", 41)
    wrapper.sample_names = ["cat.jpg", "dog.jpg"]
    with pytest.raises(NonFiniteLossError, match=r"iteration 41.*cat\.jpg, dog\.jpg"):
        wrapper.update_params(model(torch.ones(1, 3)).sum() * value)
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))


def test_skip_takes_exactly_the_finite_steps():
    skipped = steps(*make(dict(nonfinite_loss="skip")), [GOOD[0], NAN, GOOD[1], NAN, NAN, GOOD[2]])
    assert torch.equal(skipped, steps(*make(), GOOD[:3]))


@pytest.mark.parametrize("broken", [[GOOD[2], NAN], [NAN, GOOD[2]], [NAN, NAN]])
def test_skip_drops_the_whole_accumulation(broken):
    """The window [0, 1] is used, the one with a NaN is not, [3, 4] is."""
    settings = dict(nonfinite_loss="skip", accumulative_counts=2)
    skipped = steps(*make(settings), [GOOD[0], GOOD[1], *broken, GOOD[3], GOOD[4]])
    clean = steps(*make(dict(accumulative_counts=2)), [GOOD[0], GOOD[1], GOOD[3], GOOD[4]])
    assert torch.equal(skipped, clean)


def test_skip_does_not_go_on_for_ever(caplog):
    model, wrapper = make(dict(nonfinite_loss="skip", max_skips=3))
    with pytest.raises(NonFiniteLossError, match="3 in a row"):
        steps(model, wrapper, [NAN] * 3)
    model, wrapper = make(dict(nonfinite_loss="skip", max_skips=2))
    steps(model, wrapper, [NAN, GOOD[0], NAN, GOOD[1]])  # not in a row


def test_skips_count_steps_and_not_their_batches():
    settings = dict(nonfinite_loss="skip", max_skips=3, accumulative_counts=4)
    broken, good = [GOOD[0], NAN, GOOD[1], GOOD[2]], GOOD[:4]
    with pytest.raises(NonFiniteLossError, match="3 in a row"):
        steps(*make(settings), broken * 3)
    steps(*make(settings), [*broken * 2, *good, *broken * 2])  # not in a row
    steps(*make(settings), [NAN] * 8)  # two steps


@pytest.mark.parametrize(
    "settings",
    [dict(dtype="float16"), dict(nonfinite_loss="ignore"), dict(max_skips=0)],
)
def test_illegal_settings_name_the_key(settings):
    with pytest.raises(ValueError, match=rf"optim_wrapper\.{next(iter(settings))}"):
        make(settings)


def test_hook_names_samples_by_file_or_number():
    class FakeRunner:
        optim_wrapper = make()[1]

    samples = [ActionDataSample() for _ in range(3)]
    samples[0].set_metainfo(dict(filename="a.jpg"))
    samples[1].set_metainfo(dict(sample_idx=17))
    SampleNamesHook().before_train_iter(FakeRunner(), 0, dict(data_samples=samples))
    assert FakeRunner.optim_wrapper.sample_names == ["a.jpg", "sample 17", "sample 2"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_forward_pass_is_bf16_and_weights_stay_float32():
    model, wrapper = make()
    model.cuda()
    with wrapper.optim_context(model):
        assert model(torch.ones(1, 3, device="cuda")).dtype == torch.bfloat16
    assert all(p.dtype == torch.float32 for p in model.parameters())


logging.getLogger("mmengine").setLevel(logging.ERROR)
