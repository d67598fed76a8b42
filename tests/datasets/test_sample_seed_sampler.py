"""The sampler through real DataLoaders: workers, start methods, epochs, wrappers, the Runner."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.dataset import BaseDataset, DefaultSampler, pseudo_collate, worker_init_fn
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmpmg.datasets import ImageToPseudoVideo, SampleSeedSampler, SeedSample, ShaderImages
from mmpmg.datasets.sample_seed import generator


class Draws:
    """A transform that draws from everything a transform may draw from."""

    def __call__(self, results: dict) -> dict:
        return {
            "index": results["sample_idx"],
            "seed": results["sample_seed"],
            "own": float(generator(results, "draws").random()),
            "random": random.random(),
            "numpy": float(np.random.rand()),  # noqa: NPY002
            "image": int(results["imgs"][0].sum()) if "imgs" in results else 0,
        }


class Numbers(BaseDataset):
    """A dataset of MMEngine that has nothing to do with ours."""

    def load_data_list(self) -> list[dict]:
        return [{"number": i} for i in range(6)]


def _images(count: int = 6) -> ImageToPseudoVideo:
    return ImageToPseudoVideo(ShaderImages(count, 1, size=8), [Draws()])


def _recipe(count: int) -> dict:
    images = {"type": "ShaderImages", "num_categories": count, "images_per_category": 1, "size": 8}
    return {"type": "ImageToPseudoVideo", "images": images, "pipeline": [Draws()]}


def _build(kind: str, **options):
    init_default_scope("mmaction")
    return DATASETS.build({"type": kind, **options})


def _epochs(
    dataset, epochs, num_workers=0, context=None, persistent=False, seed=3, start=0
) -> list[list[dict]]:
    sampler = SampleSeedSampler(dataset, shuffle=True, seed=seed)
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=sampler,
        num_workers=num_workers,
        multiprocessing_context=context,
        persistent_workers=persistent,
        collate_fn=pseudo_collate,
        worker_init_fn=_seed_worker,
    )
    seen = []
    for epoch in range(start, epochs):
        sampler.set_epoch(epoch)
        batches = list(loader)
        keys = batches[0].keys()
        seen.append([{k: b[k][i] for k in keys} for b in batches for i in range(len(b["index"]))])
    return seen


def _seed_worker(worker_id: int) -> None:
    worker_init_fn(worker_id, num_workers=2, rank=0, seed=1)


def test_same_samples_on_any_number_of_workers():
    alone = _epochs(_images(), 3)
    assert _epochs(_images(), 3, num_workers=1, context="fork") == alone
    assert _epochs(_images(), 3, num_workers=2, context="fork") == alone
    assert _epochs(_images(), 3, num_workers=2, context="fork", persistent=True) == alone


def test_same_samples_in_spawned_persistent_workers():
    assert _epochs(_images(), 2, 1, "spawn", persistent=True) == _epochs(_images(), 2)


def test_epochs_and_runs_differ_and_samples_do_not_repeat():
    epochs = _epochs(_images(), 3)
    for key in ("seed", "own", "random", "numpy"):
        drawn = [sample[key] for epoch in epochs for sample in epoch]
        assert len(set(drawn)) == len(drawn), key
    assert _epochs(_images(), 1, seed=4)[0] != epochs[0]


def test_resuming_at_an_epoch_equals_running_to_it():
    assert _epochs(_images(), 3, start=2) == _epochs(_images(), 3)[2:]


def test_order_is_that_of_the_default_sampler():
    dataset = _images(7)
    ours, theirs = SampleSeedSampler(dataset, seed=5), DefaultSampler(dataset, seed=5)
    for epoch in (0, 4):
        ours.set_epoch(epoch)
        theirs.set_epoch(epoch)
        assert list(ours) == list(theirs)


def test_concatenated_datasets_get_streams_of_their_own():
    both = _build("ConcatDataset", datasets=[_recipe(4), _recipe(4)])
    samples = _epochs(both, 1)[0]
    assert sorted(s["index"] for s in samples) == sorted([*range(4), *range(4)])
    assert len({s["seed"] for s in samples}) == 8


@pytest.mark.parametrize("workers", [0, 2])
def test_repetitions_of_a_sample_draw_anew(workers):
    two = {"type": "ConcatDataset", "datasets": [_recipe(2), _recipe(2)]}
    repeated = _build("RepeatDataset", dataset=two, times=3)
    samples = _epochs(repeated, 1, workers, "fork" if workers else None)[0]
    assert len(samples) == 12
    assert len({s["seed"] for s in samples}) == 12


def test_repetition_below_a_concatenation_and_in_a_spawned_worker():
    def build():
        twice = {"type": "RepeatDataset", "dataset": _recipe(2), "times": 2}
        return _build("ConcatDataset", datasets=[twice, _recipe(2)])

    here = _epochs(build(), 1)
    assert len({s["seed"] for s in here[0]}) == 6
    assert _epochs(build(), 1, 1, "spawn") == here


def test_seed_sample_works_in_a_foreign_dataset():
    dataset = Numbers(pipeline=[SeedSample(), Draws()])
    first = _epochs(dataset, 2)
    assert first == _epochs(Numbers(pipeline=[SeedSample(), Draws()]), 2, 2, "fork")
    assert first[0] != first[1]


def test_seed_sample_is_found_in_a_nested_pipeline():
    nested = Numbers(pipeline=[TRANSFORMS.build({"type": "SeedSample"}), Draws()])
    nested.pipeline.transforms = [nested.pipeline.transforms]
    SampleSeedSampler(nested, seed=9)
    assert int(nested.pipeline.transforms[0][0]._state[0]) == 1


@pytest.mark.parametrize("by_epoch", [True, False])
@pytest.mark.parametrize("workers", [0, 1])
def test_runner_finds_the_sampler_and_both_loops_tell_the_epoch(tmp_path, by_epoch, workers):
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    seen: list[tuple[int, int]] = []

    class Model(BaseModel):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, index, seed, mode="tensor", **rest):
            seen.extend(zip(index, seed, strict=True))
            return {"loss": self.weight * 1.0}

    init_default_scope("mmaction")
    if "Numbers" not in DATASETS.module_dict:
        DATASETS.register_module(module=Numbers)
    loop = {"max_epochs": 2} if by_epoch else {"max_iters": 6}
    runner = Runner(
        Model(),
        str(tmp_path),
        train_dataloader={
            "batch_size": 2,
            "num_workers": workers,
            "persistent_workers": workers > 0,
            "sampler": {"type": "SampleSeedSampler", "shuffle": True},
            "dataset": {"type": "Numbers", "pipeline": [SeedSample(), Draws()]},
        },
        train_cfg={"by_epoch": by_epoch, **loop},
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}},
        randomness={"seed": 3},
        default_scope="mmaction",
        default_hooks={"checkpoint": None, "logger": None},
        experiment_name=f"{by_epoch}{workers}",
        log_level="ERROR",
    )
    runner.train()
    expected = _epochs(Numbers(pipeline=[SeedSample(), Draws()]), 2, seed=3)
    assert seen == [(s["index"], s["seed"]) for epoch in expected for s in epoch]


def test_sampler_says_that_there_is_nothing_to_seed(tmp_path):
    MMLogger.get_instance("nothing", log_file=str(tmp_path / "run.log"))
    SampleSeedSampler(Numbers(pipeline=[]), seed=1)
    MMLogger._instance_dict.pop("nothing")
    assert "type='SeedSample'" in (tmp_path / "run.log").read_text()
