"""K batches accumulated take the steps that one batch of all their samples takes."""

import copy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from reference.tiny_pretrainer import tiny_pretrainer
from torch.utils.data import Dataset

from mmpmg.engine import AutocastOptimWrapper, CosineAnnealingLRByUpdate, LinearLRByUpdate
from mmpmg.engine.hooks import accumulation

CONFIGS = Path(__file__).parents[2] / "configs"

MODEL = tiny_pretrainer(decoder_depth=1)
SCHEDULE = [
    dict(type="LinearLRByUpdate", start_factor=0.1, by_epoch=True, begin=0, end=2,
         convert_to_iter_based=True),
    dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=True, begin=2,
         convert_to_iter_based=True),
]  # fmt: skip


def in_batches(warm_up, end):
    return [
        dict(type="LinearLRByUpdate", start_factor=0.1, by_epoch=False, begin=0, end=warm_up),
        dict(type="CosineAnnealingLRByUpdate", eta_min=1e-5, by_epoch=False, begin=warm_up,
             end=end),
    ]  # fmt: skip


class Clips(Dataset):
    """14 clips, each with a seed, so each has its own mask wherever it stands."""

    def __len__(self):
        return 14

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        sample = ActionDataSample()
        sample.set_metainfo(dict(sample_seed=index))
        clip = torch.from_numpy(rng.integers(0, 256, (1, 3, 8, 32, 32), dtype=np.uint8))
        return dict(inputs=clip, data_samples=sample)


class Recorder(AutocastOptimWrapper):
    """Notes the learning rate of each step."""

    def step(self, **settings):
        self.rates = [*getattr(self, "rates", []), self.optimizer.param_groups[0]["lr"]]
        super().step(**settings)


def run(
    folder, batch_size, counts, epochs=4, kind=Recorder, schedule=SCHEDULE, resume=False,
    drop_last=False, max_iters=None,
):  # fmt: skip
    """Train in float64 with MMEngine's runner; returns weights, and the rates of the steps."""
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(MODEL))
    model.init_weights()
    model.double()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    wrapper = kind(optimizer, accumulative_counts=counts, clip_grad=dict(max_norm=0.5))
    runner = Runner(
        model=model,
        work_dir=str(folder),
        train_dataloader=dict(
            batch_size=batch_size, num_workers=0, dataset=Clips(), drop_last=drop_last,
            sampler=dict(type="DefaultSampler", shuffle=False),
            collate_fn=dict(type="pseudo_collate"),
        ),
        train_cfg=dict(by_epoch=False, max_iters=max_iters) if max_iters
        else dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=wrapper,
        param_scheduler=copy.deepcopy(schedule),
        default_hooks=dict(
            accumulation=dict(type="AccumulationHook"),
            logger=None,
            checkpoint=dict(type="CheckpointHook", interval=1, save_last=False),
        ),
        default_scope="mmaction",
        experiment_name=f"{folder.parent.name}-{folder.name}-{resume}",
        resume=resume,
        log_level="ERROR",
    )  # fmt: skip
    runner.train()
    return runner.model.state_dict(), getattr(wrapper, "rates", [])


def distance(one, other):
    return max((one[key] - other[key]).abs().max().item() for key in one)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("batch_size", "counts"), [(2, 3), (1, 6), (2, 7), (1, 4)])
def test_weights_and_rates_equal_those_of_the_large_batch(tmp_path, batch_size, counts, drop_last):
    """14 clips: 6, 6 and the 2 that are left; 4 and the 2 that are left; or all 14."""
    large, rates = run(tmp_path / "large", batch_size * counts, 1, drop_last=drop_last)
    small, same_rates = run(tmp_path / "small", batch_size, counts, drop_last=drop_last)
    np.testing.assert_allclose(same_rates, rates, rtol=1e-12)
    whole, rest = divmod(14, batch_size * counts)
    assert len(rates) == 4 * (whole + (rest > 0 and not drop_last))
    assert len(set(rates)) > 2, "rates that change can be wrong"
    assert distance(large, small) < 1e-11


def test_an_epoch_without_a_whole_step_is_refused(tmp_path):
    message = r"7 batches has no step .*accumulative_counts=8.*batch_size.*drop_last=False"
    with pytest.raises(ValueError, match=message):
        run(tmp_path, 2, 8, drop_last=True)


def test_weights_equal_those_of_the_large_batch_in_a_loop_without_epochs(tmp_path):
    """7 batches of 2 are steps of 6, 6 and the 2 that are left."""
    large, rates = run(tmp_path / "large", 6, 1, max_iters=3, schedule=in_batches(2, 3))
    small, same_rates = run(tmp_path / "small", 2, 3, max_iters=7, schedule=in_batches(6, 7))
    np.testing.assert_allclose(same_rates, rates, rtol=1e-12)
    assert len(rates) == 3
    assert distance(large, small) < 1e-11


@pytest.mark.parametrize("drop_last", [False, True])
def test_schedules_counted_in_batches_are_the_large_batch_s(tmp_path, drop_last):
    """Epochs of 7 batches end with a short step, or 6 of them are used."""
    each = 2 if drop_last else 3
    settings = dict(drop_last=drop_last, epochs=3)
    in_updates = in_batches(each, 3 * each)
    _, rates = run(tmp_path / "large", 6, 1, schedule=in_updates, **settings)
    _, same_rates = run(tmp_path / "small", 2, 3, schedule=in_batches(7, 21), **settings)
    np.testing.assert_allclose(same_rates, rates, rtol=1e-12)
    assert len(set(rates)) == 3 * each - 1, "the peak comes twice"


def test_schedules_that_step_with_epochs_do_so_where_an_epoch_ends_without_an_update(tmp_path):
    schedule = [dict(type="LinearLRByUpdate", start_factor=0.1, by_epoch=True, begin=0, end=4)]
    settings = dict(schedule=schedule, drop_last=True)
    rates = run(tmp_path / "large", 4, 1, **settings)[1]
    np.testing.assert_allclose(run(tmp_path / "small", 1, 4, **settings)[1], rates, rtol=1e-12)
    assert len(set(rates)) == 4


def test_mmengine_s_own_accumulation_would_fail_here(tmp_path):
    """What is left of an epoch joins the next one there: the test above can tell."""
    large, _ = run(tmp_path / "large", 6, 1)
    small, _ = run(tmp_path / "small", 2, 3, kind=OptimWrapper)
    assert distance(large, small) > 1e-3


def test_a_resumed_run_with_accumulation_ends_at_the_same_weights(tmp_path):
    """Nothing accumulated is in a checkpoint, so an epoch must end with a step."""
    whole, _ = run(tmp_path / "whole", 2, 3)
    for file in ("epoch_3.pth", "epoch_4.pth"):
        (tmp_path / "whole" / file).unlink()
    (tmp_path / "whole" / "last_checkpoint").write_text(str(tmp_path / "whole" / "epoch_2.pth"))
    again, rates = run(tmp_path / "whole", 2, 3, resume=True)
    assert len(rates) == 2 * 3
    assert distance(whole, again) == 0


def test_a_run_resumed_with_accumulation_ends_at_the_large_batch_s_weights(tmp_path):
    """Two epochs of 3 large batches, then two of 7: iteration 6 is no multiple of 7."""
    large, _ = run(tmp_path, 6, 1)
    for file in ("epoch_3.pth", "epoch_4.pth"):
        (tmp_path / file).unlink()
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_2.pth"))
    small, rates = run(tmp_path, 2, 3, resume=True)
    assert len(rates) == 2 * 3
    assert distance(large, small) < 1e-11


@pytest.mark.parametrize(("epoch_length", "warnings"), [(7, 0), (None, 1)])
def test_only_a_loop_without_epochs_warns_of_lost_gradients(monkeypatch, epoch_length, warnings):
    told = []
    for module in ("mmengine.optim.optimizer.optimizer_wrapper", accumulation.__name__):
        monkeypatch.setattr(f"{module}.print_log", lambda text, **_: told.append(text))
    runner = SimpleNamespace(optim_wrapper=wrapper(3))
    runner.optim_wrapper.epoch_length = epoch_length
    runner.optim_wrapper.initialize_count_status(torch.nn.Linear(1, 1), 7, 28)
    accumulation.AccumulationHook().before_train(runner)
    assert len(told) == warnings
    assert all("checkpoint.interval" in text for text in told)


def test_resumed_inside_an_accumulation_a_step_is_a_mean_over_what_is_left():
    optimizer = wrapper(3)
    (weight,) = optimizer.optimizer.param_groups[0]["params"]
    optimizer.initialize_count_status(torch.nn.Linear(1, 1), 4, 7)
    values = [weight.item()]
    for factor in (1.0, 3.0, 5.0):
        optimizer.update_params(weight * factor)
        values.append(weight.item())
    np.testing.assert_allclose(np.diff(values), [0, -2.0, -5.0])


def test_what_an_epoch_drops_is_not_looked_at():
    """Batch 2 of 3 makes no step with K=2, whatever its loss is; the next epoch starts clean."""
    optimizer = wrapper(2)
    (weight,) = optimizer.optimizer.param_groups[0]["params"]
    optimizer.initialize_count_status(torch.nn.Linear(1, 1), 0, 6)
    optimizer.epoch_length, optimizer.drop_incomplete = 3, True
    values = [weight.item()]
    for factor in (1.0, 3.0, float("nan"), 5.0, 7.0, 9.0):
        optimizer.update_params(weight * factor)
        values.append(weight.item())
    np.testing.assert_allclose(np.diff(values), [0, -2, 0, 0, -6, 0])


@pytest.mark.parametrize("recipe", sorted(CONFIGS.rglob("*_1gpu.py")), ids=lambda file: file.stem)
def test_recipes_that_accumulate_have_the_hook_and_schedules_for_it(recipe):
    config = Config.fromfile(recipe)
    assert config.optim_wrapper.type == "AutocastOptimWrapper"
    assert "AccumulationHook" in [hook.type for hook in config.default_hooks.values()]
    assert all(part.type.endswith("ByUpdate") for part in config.param_scheduler)


def test_without_accumulation_the_schedules_are_mmengine_s(tmp_path):
    plain = [dict(part, type=part["type"].removesuffix("ByUpdate")) for part in SCHEDULE]
    assert run(tmp_path / "a", 4, 1)[1] == run(tmp_path / "b", 4, 1, schedule=plain)[1]


def wrapper(counts):
    weight = torch.nn.Parameter(torch.ones(()))
    return AutocastOptimWrapper(torch.optim.SGD([weight], lr=1.0), accumulative_counts=counts)


def test_lengths_in_batches_become_lengths_in_updates():
    settings = dict(by_epoch=False, begin=0)
    for counts in (1, 3):
        warm_up = LinearLRByUpdate(wrapper(counts), end=12 * counts, **settings)
        assert warm_up.total_iters == 11
        cosine = CosineAnnealingLRByUpdate(wrapper(counts), eta_min=0, end=30 * counts, **settings)
        assert cosine.T_max == 30
    endless = CosineAnnealingLRByUpdate(wrapper(3), T_max=30, eta_min=0, **settings)
    assert (endless.T_max, endless.end) == (10, int(1e9))
    late = LinearLRByUpdate(wrapper(3), by_epoch=False, begin=6, end=15)
    assert (late.begin, late.end, late.total_iters) == (2, 5, 2)
    with pytest.raises(ValueError, match=r"update 3: from begin=8 to end=9.*accumulative_counts=3"):
        LinearLRByUpdate(wrapper(3), by_epoch=False, begin=8, end=9)


def test_ranks_exchange_gradients_exactly_where_a_step_follows():
    weight = torch.nn.Parameter(torch.ones(()))
    wrapper = AutocastOptimWrapper(torch.optim.SGD([weight], lr=0.1), accumulative_counts=3)
    wrapper.initialize_count_status(torch.nn.Linear(1, 1), 0, 14)
    wrapper.epoch_length = 7
    exchanged, stepped = [], []
    for _ in range(14):
        exchanged.append(wrapper.should_sync())
        before = weight.item()
        wrapper.update_params(weight * 1.0)
        stepped.append(weight.item() != before)
        if stepped[-1]:
            assert before - weight.item() == pytest.approx(0.1, rel=1e-5), "a mean over the step"
    assert exchanged == stepped
    assert [n for n, yes in enumerate(stepped) if yes] == [2, 5, 6, 9, 12, 13]
