"""A recipe's results: the papers' numbers and ours, by data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmpmg.evaluation.motionmae_numbers import SEGMENTATION_NUMBERS
from mmpmg.evaluation.paper_numbers import PAPER_NUMBERS, SCRATCH
from mmpmg.evaluation.zoo.methods import recipe_title
from mmpmg.evaluation.zoo.records import Records, page_of, spellings

NOT_RUN = "not run yet"
TASKS = {
    "finetune": "Action Recognition",
    "linear_probe": "Action Recognition by linear probing",
    "vos": "Video Object Segmentation",
    "tokenizer": "Video Tokenization",
}
PAPER = "Paper "
"""What stands before the name of a metric whose number is a paper's."""
_FIELDS = {"both": "J&F-Mean", "region": "J-Mean", "contour": "F-Mean"}


def results(root: Path, recipe: str, records: Records) -> list[dict[str, Any]]:
    """List a recipe's results.

    Of a pre-training they are what its encoder reaches, by recipes that evaluate it; of these, what
    they reach from scratch.

    Args:
        root: Of the repository.
        recipe: Such as ``pmg/vit-b_shaders1k``.
        records: Ours.

    Returns:
        Results as metafiles have them. A paper's metrics begin with ``Paper``; ours are the others,
        and ``Ours`` names the page that tells how they came about, or says "not run yet".
    """
    pairs = [*PAPER_NUMBERS, *SEGMENTATION_NUMBERS]
    pairs += [(result.recipe, result.pretraining) for result in records.results]
    wanted = [
        pair for pair in dict.fromkeys(pairs)
        if recipe == (pair[0] if pair[1] == SCRATCH else pair[1])
    ]  # fmt: skip
    return [pair_result(root, pair, records) for pair in wanted]


def pair_result(root: Path, pair: tuple[str, str], records: Records) -> dict[str, Any]:
    """Put together what the papers and we say of an evaluation of an encoder.

    Args:
        root: Of the repository.
        pair: Evaluating recipe, and pre-training or "scratch".
        records: Ours.
    """
    evaluation, _ = pair
    metrics: dict[str, float] = {}
    source = ""
    if pair in PAPER_NUMBERS:
        number = PAPER_NUMBERS[pair]
        metrics[f"{PAPER}Top 1 Accuracy"], source = number.top1, number.source
    elif pair in SEGMENTATION_NUMBERS:
        numbers = SEGMENTATION_NUMBERS[pair]._asdict()
        metrics.update({PAPER + _FIELDS[field]: value for field, value in numbers.items()})
        source = "MotionMAE, Table 4"
    page, note = NOT_RUN, ""
    for result in records.results:
        if (result.recipe, result.pretraining) == pair:
            metrics.update(result.metrics)
            numbers_told = map(spellings, result.metrics.values())
            page, note = page_of(root, result.row, numbers_told) or "on no page", result.note
    title = recipe_title(evaluation)
    deltas = [word for word in title.deltas if word != "motionmae"]
    if title.folder == "linear_probe":  # MIM tells results apart by data set and metric alone
        deltas.insert(0, "linear probing")
    return {
        "Task": TASKS[title.folder],
        "Dataset": title.data + (f" ({', '.join(deltas)})" if deltas else ""),
        "Recipe": evaluation,
        "Metrics": metrics,
        **({"Paper Source": source} if source else {}),
        "Ours": page,
        **({"Note": note} if note else {}),
    }
