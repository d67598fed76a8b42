"""Figures of the data workers: the parts add up to the whole, shares are shares."""

from __future__ import annotations

import json
import re

import cv2
import numpy as np
import pytest
import torch

from mmpmg.evaluation import data_wait_benchmark
from mmpmg.evaluation.data_wait_benchmark import Wait, benchmark_data_wait, read_waits, run_recipe
from mmpmg.evaluation.preprocess_benchmark import (
    benchmark_preprocess,
    build_recipe_model,
    deferred_batch,
)
from mmpmg.evaluation.step_models import StepSize
from mmpmg.evaluation.worker_benchmark import (
    benchmark_worker,
    build_dataset,
    decode,
    time_parts,
    write_images,
)


def cells(table: str) -> list[list[str]]:
    return [
        [c.strip() for c in line.strip("|").split("|")]
        for line in table.splitlines()
        if "|" in line
    ]


def test_the_pipeline_is_that_of_the_recipe_and_deferred_alike(tmp_path):
    files = write_images(tmp_path / "jpegs", 256, 3)
    image = decode(files[0])
    assert image.shape == (256, 256, 3) and image.std() > 5
    deferred = build_dataset(files[0].parent, deferred=True)
    rendered = build_dataset(files[0].parent, deferred=False)
    np.testing.assert_array_equal(deferred.source.load(0), image[..., ::-1])
    for number in range(3):
        one, clip = deferred[number], rendered[number]
        assert one["inputs"].shape == (1, 3, 1, 224, 224)
        assert clip["inputs"].shape == (1, 3, 16, 224, 224)
        motion = one["data_samples"].deferred_motion
        assert motion.num_frames == 16 and motion.family in ("ZoomInOut", "Affine")
        if motion.family == "Affine":  # begins with the image itself
            assert torch.equal(one["inputs"][:, :, 0], clip["inputs"][:, :, 0])


def test_parts_of_a_sample_add_up_to_the_whole(tmp_path):
    files = write_images(tmp_path / "jpegs", 240, 2)
    parts = time_parts(build_dataset(files[0].parent, deferred=True), rounds=2)
    whole = parts.pop("whole")
    assert sum(parts.values()) == pytest.approx(whole)
    assert {"reading and decoding", "PMGPipeline", "the rest"} < set(parts)
    assert whole > parts["reading and decoding"] > 0


def test_worker_tables():
    before = cv2.getNumThreads()
    text = benchmark_worker(1, sides=(232, 240), images=2)
    assert cv2.getNumThreads() == before
    ways, parts = (cells(table) for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE))
    assert [row[0] for row in ways[2:]] == ["232²"] * 5 + ["240²"] * 5
    assert ways[2][4].startswith("1.00 ") and float(ways[3][3]) > 0
    assert parts[0][1:] == ["232², µs", "240², µs"] and parts[-1][0] == "whole"


def write_scalars(run, records):
    folder = run / "20260101" / "vis_data"
    folder.mkdir(parents=True)
    lines = "\n".join(json.dumps(record) for record in records)
    (folder / "scalars.json").write_text(lines)


def test_waits_are_read_and_the_first_epoch_is_left_out(tmp_path, monkeypatch):
    records = [
        dict(epoch=1, time=1.0, data_time=0.9),
        dict(epoch=2, time=0.5, data_time=0.01),
        {"acc/top1": 0.5},
        dict(epoch=3, time=0.5, data_time=0.02),
    ]
    write_scalars(tmp_path, records)
    waits = read_waits(tmp_path)
    assert waits == [Wait(1, 1.0, 0.9), Wait(2, 0.5, 0.01), Wait(3, 0.5, 0.02)]
    assert [w.share for w in waits] == pytest.approx([0.9, 0.02, 0.04])
    monkeypatch.setattr(
        data_wait_benchmark, "run_recipe", lambda r, s, e, run, c: write_scalars(run, records)
    )
    rows = cells(benchmark_data_wait(runs=[(8, 3)]))
    assert rows[2] == ["8", "the first", "1.000", "900.0", "90.0 % (one round)"]
    assert rows[3] == ["8", "2 to 3", "0.500", "15.0", "3.0 % (2.0 to 4.0)"]
    with pytest.raises(ValueError, match="no data_time"):
        read_waits(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="epochs 1 must be 2"):
        benchmark_data_wait(runs=[(8, 1)])


def test_a_real_run_is_timed(tmp_path):
    changes = [
        "train_dataloader.dataset.images.num_categories=16",
        "model.backbone.depth=1",
    ]
    run_recipe(data_wait_benchmark.RECIPE, 3, 2, tmp_path, changes)  # its warm-up has 4
    waits = read_waits(tmp_path)
    assert [w.epoch for w in waits] == [1, 2]
    assert all(0 < w.wait < w.step and 0 < w.share < 1 for w in waits)


def test_a_run_that_fails_says_why(tmp_path, monkeypatch):
    (tmp_path / "train.py").write_text("raise SystemExit('no such thing')")
    monkeypatch.setattr(data_wait_benchmark, "TOOLS", tmp_path)
    with pytest.raises(RuntimeError, match="smoke.py failed:\nno such thing"):
        run_recipe(data_wait_benchmark.RECIPE, 2, 2, tmp_path)


def test_preprocessing_makes_the_clips_that_the_step_trains_on():
    size = StepSize("tiny", 4, 64, 2)
    model, sampler = build_recipe_model(size)
    batch = deferred_batch(size, sampler, seed=0, pinned=False)
    motions = [sample.deferred_motion for sample in batch["data_samples"]]
    data = model.data_preprocessor(batch, training=True)
    assert data["inputs"].shape == (2, 1, 3, 4, 64, 64)
    assert all(motion.num_frames == 4 for motion in motions)
    alone = deferred_batch(size, sampler, seed=0, pinned=False)
    unmixed = model.data_preprocessor(alone, training=False)["inputs"]
    assert not torch.equal(unmixed, data["inputs"])  # the recipe mixes
    assert model(**data, mode="loss")["loss_pixel"].isfinite()
    text = benchmark_preprocess([size._replace(batch=1)], "cpu", 1, 2, torch.float32)
    row = cells(text[text.index("|") :])[2]
    assert row[0] == "ViT tiny, 4 x 64², batch 2"  # nothing would be mixed in a batch of one
    clips, step, share = (float(re.search(r"[\d.]+", cell)[0]) for cell in row[2:])
    assert 0 < share < 100 and clips > 0 and step > 0
