"""What the masking benchmark says; nothing here asserts a speed."""

import torch

from mmpmg.evaluation.masking_benchmark import (
    AREAS,
    FAMILIES,
    SCHEDULE,
    THRESHOLDS,
    MaskingSides,
    benchmark_masking,
    denser_rows,
    ratio_table,
)
from mmpmg.evaluation.step_models import StepSize

TINY = StepSize("tiny", 4, 32, 2)


def test_ratios_by_hand():
    counts, densities = ratio_table("counts"), ratio_table("densities")
    assert [row[0] for row in counts] == [f"{area} %" for area in AREAS]
    assert len(counts[0]) == 1 + len(SCHEDULE)
    assert counts[3][4] == "80 / 23", ".7 x .46 of 40 %, .3 x .46 of 60 %"
    assert counts[5][5] == "93 / 60" and counts[4][5] == counts[7][5] == "random"
    assert densities[3][4] == "70 / 30", ".7 c and .3 c, c = .46 / (.7 x .4 + .3 x .6)"
    assert all("random" not in row for row in densities)


def test_slots_of_every_family():
    rows = denser_rows(2)
    assert [row[:2] for row in rows] == [[f, f"{t:g}"] for f in FAMILIES for t in THRESHOLDS]
    sliding, cutmix = rows[0], rows[FAMILIES.index("CutMix") * len(THRESHOLDS)]
    assert sliding[2:] == ["100", *["0 / 0"] * 4], "everything moves"
    assert 0 < int(cutmix[2]) < 100 and cutmix[6] == "100 / 0"
    affine = rows[FAMILIES.index("Affine") * len(THRESHOLDS)]
    assert int(affine[3].split(" / ")[1]) > 0, "more than .7 of the places: the rest is denser"
    assert affine[6].endswith(" / 0")


def test_the_steps_and_their_draws_run():
    text = benchmark_masking([TINY], "cpu", 1, 1, torch.float32, clips=1)
    for masker in ("TubeMasker", "FlowGuidedMasker", "RandomMasker", "FlowGuidedDenseMasker"):
        assert f"| {masker} |" in text
    sides = MaskingSides(TINY, False, "cpu", torch.float32)
    guided = sides.model.masker(sides.seeds, sides.grid, sides.samples)
    assert guided.shape == (2, 8) and (guided.sum(1) == 6).all()
