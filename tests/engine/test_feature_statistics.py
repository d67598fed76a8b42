"""The features of a frozen encoder are measured once, and standardised ever after."""

import logging
from types import SimpleNamespace

import pytest
import torch
from torch import nn

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


def runner(model, features, size=8):
    batches = [dict(inputs=batch) for batch in features.split(size)]
    return SimpleNamespace(
        model=model, train_dataloader=batches, logger=logging.getLogger("nowhere")
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
    FeatureStatisticsHook().before_train(runner(model, features() + 5))
    assert model.asked == 0
    assert torch.equal(resumed.feature_mean, first.feature_mean)


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
