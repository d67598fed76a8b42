"""J&F of video object segmentation as a metric of MMEngine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from .davis_scores import ObjectScores, average, object_table, score_sequence


@METRICS.register_module()
class DAVISMetric(BaseMetric):
    """J, F and J&F by the semi-supervised protocol of DAVIS-2017 (MotionMAE, Table 4).

    ``vos/J&F-Mean``, ``vos/J-Mean``, ``vos/J-Recall``, ``vos/J-Decay``, ``vos/F-Mean``,
    ``vos/F-Recall``, ``vos/F-Decay``; shares in [0, 1] (decay: [-1, 1], less is better), where
    papers print percent. J is :func:`.region_similarity.region_similarity`, F
    :func:`.contour_accuracy.contour_accuracy`. They are averaged over frames without a sequence's
    first, which is given, and last, then over objects; objects of all sequences weigh the same.

    A sample needs ``pred_masks`` and ``gt_masks`` (T, H, W), and ``sequence`` and ``object_ids``
    among its metainfo. Only numbers are kept of a sequence, so memory does not grow with them.

    Args:
        table: CSV file to write, a line for each object and each sequence; its folder is made.
            None: the lines stand in the log only.
        collect_device: as in MMEngine's BaseMetric.
        prefix: of the names; None: ``vos``.
        collect_dir: as in MMEngine's BaseMetric.

    Raises:
        ValueError: ``table`` does not end in .csv.
    """

    default_prefix = "vos"

    def __init__(
        self,
        table: str | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if table is not None and Path(table).suffix.lower() != ".csv":
            raise ValueError(f"test_evaluator.table={table!r}: must be None or a file NAME.csv")
        self.table = table

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Score sequences as soon as the model has segmented them.

        Args:
            data_batch: Not looked at.
            data_samples: A sample of each sequence.

        Raises:
            ValueError: A sample lacks something, masks differ in size, or unknown ids are
                predicted.
        """
        for sample in data_samples:
            predicted = _masks(sample, "pred_masks", "the model must be a segmenter")
            packed = "test_dataloader.dataset.pipeline.pack"
            truth = _masks(sample, "gt_masks", f"name it in {packed}.algorithm_keys")
            missing = [key for key in ("sequence", "object_ids") if key not in sample]
            if missing:
                raise ValueError(f"samples lack {missing}: name them in {packed}.meta_keys")
            ids = [int(number) for number in sample["object_ids"]]
            self.results.append(score_sequence(sample["sequence"], predicted, truth, ids))

    def compute_metrics(self, results: list[list[ObjectScores]]) -> dict[str, float]:
        """Average over the objects of all sequences; write the table.

        Args:
            results: Scores of each sequence, from all processes.

        Returns:
            The measures.

        Raises:
            ValueError: There is no object, or a sequence came twice.
        """
        names = [objects[0].sequence for objects in results if objects]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"sequences {twice} were scored more than once and would count so often; "
                "test_dataloader.sampler must be DefaultSampler(shuffle=False)"
            )
        scores = [one for objects in results for one in objects]
        if not scores:
            raise ValueError("no object was scored: test_dataloader.dataset.sequences is empty")
        table = object_table(scores)
        print_log(f"{len(scores)} objects of {len(names)} sequences\n{table}", logger="current")
        if self.table is not None:
            path = Path(self.table)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(table)
            print_log(f"the same table is in {path}", logger="current")
        return average(scores)


def _masks(sample: Mapping[str, Any], key: str, hint: str) -> npt.NDArray[np.integer]:
    if sample.get(key) is None:
        raise ValueError(f"samples lack {key}, which DAVISMetric compares: {hint}")
    masks = sample[key]
    return masks.cpu().numpy() if isinstance(masks, torch.Tensor) else np.asarray(masks)
