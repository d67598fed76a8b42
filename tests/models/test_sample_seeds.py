import torch
from mmaction.structures import ActionDataSample

from mmpmg.models import sample_seeds


def test_samples_without_seeds_warn_once(monkeypatch):
    said = []
    monkeypatch.setattr(sample_seeds, "print_log", lambda text, **_: said.append(text))
    sample_seeds._warn_of_missing_seeds.cache_clear()
    for _ in range(3):
        sample_seeds.batch_seeds([ActionDataSample()], 1, torch.device("cpu"))
    assert len(said) == 1
    assert "SampleSeedSampler" in said[0]


def test_seeds_of_samples_are_taken_as_they_are():
    sample = ActionDataSample()
    sample.set_metainfo(dict(sample_seed=2**63 - 1))
    assert sample_seeds.batch_seeds([sample], 1, torch.device("cpu")).tolist() == [2**63 - 1]
