from __future__ import annotations

import re
from pathlib import Path

from mmpmg.evaluation.motionmae_numbers import SEGMENTATION_NUMBERS, SEGMENTATION_OF_OTHERS
from mmpmg.evaluation.paper_numbers import PAPER_NUMBERS, SCRATCH

ROOT = Path(__file__).resolve().parents[2]
# Page -> what its tables are called in PAPER_NUMBERS.
PAGES = {
    "paper_tables.md": "",
    "motionmae_tables.md": "MotionMAE, ",
    "demvm_tables.md": "DEMVM, ",
}
# Other tables print another number than the one that stands in PAPER_NUMBERS.
PRINTED_TWICE = {
    ("finetune/vit-b_ucf101", "pmg/vit-b_shaders1k", 89.4),
    ("finetune/vit-b_ucf101_motionmae", "motionmae/vit-b_ucf101", 94.3),
}


def documented() -> list[tuple[str, str, float, str]]:
    """(fine-tuning, pre-training, number, table) of each row of the documents with a number."""
    rows = []
    for page, prefix in PAGES.items():
        for line in (ROOT / "docs" / page).read_text().splitlines():
            cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
            if len(cells) == 6 and (number := re.match(r"\d+\.\d", cells[4])):
                pretraining = SCRATCH if cells[2] == "none" else cells[2]
                rows.append((cells[3], pretraining, float(number[0]), prefix + cells[0]))
    return rows


def test_the_documents_have_these_numbers_and_no_others() -> None:
    rows = documented()
    assert len(rows) > 80 + 30
    for finetuning, pretraining, number, table in rows:
        if (finetuning, pretraining, number) not in PRINTED_TWICE:
            known = PAPER_NUMBERS[finetuning, pretraining]
            assert known.top1 == number, (finetuning, pretraining, table)
    assert {(f, p) for f, p, *_ in rows} == set(PAPER_NUMBERS)


def test_each_number_stands_in_the_table_that_is_named() -> None:
    tables = {}
    for finetuning, pretraining, _, table in documented():
        tables.setdefault((finetuning, pretraining), set()).add(table)
    for pair, (_, source) in PAPER_NUMBERS.items():
        assert source.replace("supplement, ", "Suppl. ") in tables[pair]


def test_every_recipe_exists() -> None:
    pairs = [*PAPER_NUMBERS, *SEGMENTATION_NUMBERS]
    names = {name for pair in pairs for name in pair} - {SCRATCH}
    assert [name for name in sorted(names) if not (ROOT / "configs" / f"{name}.py").is_file()] == []


def test_the_numbers_of_segmentation_are_those_of_the_document() -> None:
    found = {}
    for line in (ROOT / "docs/motionmae_tables.md").read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if cells[0] == "Table 4":
            found[cells[2], cells[1]] = tuple(map(float, cells[3:6]))
    assert found == SEGMENTATION_NUMBERS
    for both, region, contour in found.values():
        assert both == (region + contour) / 2


def test_the_other_rows_of_segmentation_are_those_of_the_document() -> None:
    found = {}
    for line in (ROOT / "docs/motionmae_tables.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"(Video)?MAE, \S+", cells[0]):
            method, data = cells[0].split(", ")
            found[method, data] = tuple(map(float, cells[1:4]))
    assert found == SEGMENTATION_OF_OTHERS
    for both, region, contour in found.values():
        assert abs(both - (region + contour) / 2) <= 0.0501, "to the digit that is printed"
