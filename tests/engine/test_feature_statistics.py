"""The features of a frozen encoder are measured once, and standardised ever after."""

import logging
import multiprocessing
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from torch import distributed, nn

from mmpmg.engine.hooks import FeatureStatisticsHook
from mmpmg.models.heads import LinearProbeHead


class Model(nn.Module):
    """Features of its inputs as they are; counts how often it is asked."""

    def __init__(self, head):
        super().__init__()
        self.cls_head = head
        self.asked = 0

    def data_preprocessor(self, batch, training):
        assert not training, "nothing is mixed"
        return batch

    def extract_feat(self, inputs, stage):
        assert stage == "backbone" and not self.training and not torch.is_grad_enabled()
        self.asked += 1
        return inputs, {}


def runner(model, features, size=8, iteration=0):
    batches = [dict(inputs=batch) for batch in features.split(size)]
    return SimpleNamespace(
        model=model,
        train_dataloader=batches,
        iter=iteration,
        logger=logging.getLogger("nowhere"),
    )


def features(count=30):
    """Much alike: a spread of 0.01 around means of up to 10, one channel constant."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(count, 6, generator=generator) * 0.01 + torch.arange(-5.0, 7, 2)
    values[:, 2] = 3.0
    return values


def test_features_of_the_training_set_get_mean_0_and_spread_1():
    head, values = LinearProbeHead(4, 6), features()
    model = Model(head).train()
    FeatureStatisticsHook().before_train(runner(model, values))
    assert model.training, "left as it was"
    torch.testing.assert_close(head.feature_mean, values.mean(0))
    expected = (values.double().var(0, unbiased=False) + 1e-6).sqrt().float()
    torch.testing.assert_close(head.feature_std, expected, rtol=1e-3, atol=1e-6)
    torch.nn.init.eye_(head.fc_cls.weight)
    torch.nn.init.zeros_(head.fc_cls.bias)
    seen = head(values)
    torch.testing.assert_close(seen.mean(0), torch.zeros(4), rtol=0, atol=1e-3)
    wanted = torch.tensor([1.0, 1.0, 0.0, 1.0])  # and a constant channel stays finite
    torch.testing.assert_close(seen.std(0, unbiased=False), wanted, rtol=0.02, atol=1e-3)


def test_a_resumed_run_keeps_what_was_measured():
    first = LinearProbeHead(4, 6)
    FeatureStatisticsHook().before_train(runner(Model(first), features()))
    resumed = LinearProbeHead(4, 6)
    assert not resumed.measured
    resumed.load_state_dict(first.state_dict())
    model = Model(resumed)
    FeatureStatisticsHook().before_train(runner(model, features() + 5, iteration=3))
    assert model.asked == 0
    assert torch.equal(resumed.feature_mean, first.feature_mean)


def test_a_run_from_the_weights_of_another_probe_measures_its_own():
    other, values = LinearProbeHead(4, 6), features()
    other.set_statistics(torch.full((6,), 7.0), torch.full((6,), 9.0))
    started = LinearProbeHead(4, 6)
    started.load_state_dict(other.state_dict())
    FeatureStatisticsHook().before_train(runner(Model(started), values))
    torch.testing.assert_close(started.feature_mean, values.mean(0))
    assert (started.feature_std < 0.1).all()


def measure_a_share(rank, values, folder):
    """Measure every second sample in one of two processes, and write what came of it."""
    store = f"file://{folder / 'store'}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    head = LinearProbeHead(4, 6)
    model = MMDistributedDataParallel(Model(head), device_ids=None)
    FeatureStatisticsHook().before_train(runner(model, values[rank::2], 4))
    torch.save(dict(mean=head.feature_mean, std=head.feature_std), folder / f"{rank}.pth")
    distributed.destroy_process_group()


def test_two_processes_measure_what_one_does(tmp_path):
    """The second share has fewer samples and another mean, so that an average of both differs."""
    head, values = LinearProbeHead(4, 6), features(31)
    values[1::2] += 0.5
    FeatureStatisticsHook().before_train(runner(Model(head), values))
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=measure_a_share, args=(rank, values, tmp_path), daemon=True)
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pth")
        torch.testing.assert_close(found["mean"], head.feature_mean)
        torch.testing.assert_close(found["std"], head.feature_std)


def test_no_more_batches_than_asked_are_measured():
    model, values = Model(LinearProbeHead(4, 6)), features()
    FeatureStatisticsHook(max_batches=2).before_train(runner(model, values))
    assert model.asked == 2
    torch.testing.assert_close(model.cls_head.feature_mean, values[:16].mean(0))


def test_unmeasured_features_are_taken_as_they_are():
    head = LinearProbeHead(4, 6)
    assert torch.equal(head(features()), head.fc_cls(features()))


def test_another_classifier_and_no_batches_are_refused():
    with pytest.raises(TypeError, match=r"LinearProbeHead.*not Linear;.*custom_hooks"):
        FeatureStatisticsHook().before_train(runner(Model(nn.Linear(6, 4)), features()))
    with pytest.raises(ValueError, match="max_batches=0"):
        FeatureStatisticsHook(max_batches=0)


def test_a_map_counts_as_the_mean_of_its_places():
    """As a Swin gives it: measured, standardised and classified like that mean."""
    head, values = LinearProbeHead(4, 6), features()
    generator = torch.Generator().manual_seed(1)
    places = torch.randn(len(values), 6, 2, 3, 3, generator=generator)
    maps = places - places.mean((2, 3, 4), keepdim=True) + values[..., None, None, None]
    FeatureStatisticsHook().before_train(runner(Model(head), maps))
    plain = LinearProbeHead(4, 6)
    FeatureStatisticsHook().before_train(runner(Model(plain), values))
    torch.testing.assert_close(head.feature_mean, plain.feature_mean)
    torch.testing.assert_close(head.feature_std, plain.feature_std, rtol=1e-3, atol=1e-5)
    torch.nn.init.eye_(head.fc_cls.weight)
    torch.testing.assert_close(head(maps), head(values), rtol=1e-3, atol=1e-2)
