from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import METRICS
from mmaction.structures import ActionDataSample
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator
from reference.davis_measures import davis
from torch import distributed

from mmpmg.evaluation import DAVISMetric
from mmpmg.evaluation.davis_scores import MEASURES


def sequence(seed: int, frames: int = 6, objects: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Squares that wander, followed badly; the last object is lost half way."""
    rng = np.random.default_rng(seed)
    truth, predicted = np.zeros((2, frames, 24, 36), dtype=np.uint8)
    for number in range(1, objects + 1):
        y, x = rng.integers(0, 10), rng.integers(0, 22)
        for k in range(frames):
            truth[k, y + k : y + k + 8, x + k : x + k + 8] = number
            if number < objects or k < frames // 2:
                dy, dx = rng.integers(0, 4, 2)
                predicted[k, y + dy : y + dy + 9, x + dx : x + dx + 8] = number
    return predicted, truth


def sample(name: str, predicted: np.ndarray, truth: np.ndarray, objects: int) -> ActionDataSample:
    one = ActionDataSample()
    one.set_metainfo(dict(sequence=name, object_ids=tuple(range(1, objects + 1))))
    one.gt_masks, one.pred_masks = torch.from_numpy(truth), torch.from_numpy(predicted)
    return one


def evaluated(metric: DAVISMetric, sequences: list) -> dict[str, float]:
    evaluator = Evaluator(metric)
    for number, (predicted, truth, objects) in enumerate(sequences):
        one = sample(f"sequence {number}", predicted, truth, objects)
        evaluator.process(data_samples=[one], data_batch=None)
    return evaluator.evaluate(len(sequences))


SEQUENCES = [(*sequence(0, 6, 1), 1), (*sequence(1, 9, 3), 3), (*sequence(2, 3, 2), 2)]


def test_the_metric_agrees_with_the_second_implementation():
    metrics = evaluated(DAVISMetric(), SEQUENCES)
    expected = davis(SEQUENCES)
    assert set(metrics) == {f"vos/{name}" for name in MEASURES}
    for name, value in expected.items():
        assert metrics[f"vos/{name}"] == pytest.approx(value, abs=1e-12), name
    assert 0.1 < metrics["vos/J-Mean"] < 0.9, "an easy case would show nothing"


def test_the_metric_is_built_from_a_recipe_and_its_prefix_can_be_changed():
    metric = METRICS.build(dict(type="DAVISMetric", prefix="davis2016"))
    assert "davis2016/J&F-Mean" in evaluated(metric, SEQUENCES[:1])


def test_a_second_evaluation_starts_anew():
    metric = DAVISMetric()
    first = evaluated(metric, SEQUENCES)
    assert evaluated(metric, SEQUENCES) == first


def test_only_numbers_are_kept_of_a_sequence():
    metric = DAVISMetric()
    predicted, truth, objects = SEQUENCES[1]
    metric.process(None, [sample("a", predicted, truth, objects).to_dict()])
    (scores,) = metric.results
    assert sum(one.similarity.size + one.accuracy.size for one in scores) == 2 * 3 * (9 - 2)


def test_the_table_is_written_where_it_is_asked_for(tmp_path):
    path = tmp_path / "work" / "objects.csv"
    metrics = evaluated(DAVISMetric(table=str(path)), SEQUENCES)
    last = path.read_text().splitlines()[-1].split(",")
    assert last[:3] == ["(all)", "all", str(4 + 7 + 1)]
    assert float(last[3]) == pytest.approx(metrics["vos/J&F-Mean"], abs=1e-4)


def test_a_table_must_be_csv():
    with pytest.raises(ValueError, match=r"test_evaluator.table='objects.txt'.*\.csv"):
        DAVISMetric(table="objects.txt")


@pytest.mark.parametrize(
    ("missing", "hint"),
    [
        ("pred_masks", "segmenter"),
        ("gt_masks", "pack.algorithm_keys"),
        ("object_ids", "pack.meta_keys"),
        ("sequence", "pack.meta_keys"),
    ],
)
def test_what_a_sample_lacks_is_named_with_the_key_that_mends_it(missing, hint):
    one = sample("a", *SEQUENCES[0]).to_dict()
    del one[missing]
    with pytest.raises(ValueError, match=f"{missing}.*{hint}"):
        DAVISMetric().process(None, [one])


def test_a_sequence_that_comes_twice_is_an_error():
    metric = DAVISMetric()
    for _ in range(2):
        metric.process(None, [sample("again", *SEQUENCES[0]).to_dict()])
    with pytest.raises(ValueError, match=r"\['again'\].*DefaultSampler"):
        metric.evaluate(2)


def test_nothing_to_score_is_an_error():
    with pytest.raises(ValueError, match="sequences"):
        DAVISMetric().compute_metrics([])


def one_of_two(rank: int, folder: Path) -> None:
    """Evaluate what the sampler gives this process."""
    cv2.setNumThreads(0)  # as in a data worker: threads do not survive the fork
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    evaluator = Evaluator(DAVISMetric(collect_dir=str(folder / "collected")))
    for number in DefaultSampler(SEQUENCES, shuffle=False):
        predicted, truth, objects = SEQUENCES[number]
        one = sample(f"sequence {number}", predicted, truth, objects)
        evaluator.process(data_samples=[one], data_batch=None)
    metrics = evaluator.evaluate(len(SEQUENCES))
    (folder / f"{rank}.json").write_text(json.dumps(metrics))
    distributed.destroy_process_group()


def test_two_processes_find_what_one_does(tmp_path):
    """Three sequences on two processes: the sampler fills up with the first one again."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=one_of_two, args=(rank, tmp_path)) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
    alone = evaluated(DAVISMetric(), SEQUENCES)
    for rank in (0, 1):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        assert found == pytest.approx(alone, abs=1e-12)
