"""Cells of two declarations that are equal are one training; the studies are read from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from stub_study import ARMS, CLIPS, nested_ops, write_study

from mmpmg.evaluation.study import session
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cells import FINETUNE, PRETRAIN, Cell, grid, write_json
from mmpmg.evaluation.study.command import StudyOptions, study
from mmpmg.evaluation.study.declaration import read_study
from mmpmg.evaluation.study.rows import read_rows


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("stub"))


def variant(one: Path, name: str, **entries: Any) -> Path:
    """Declare another study on the same recipes."""
    file = one.with_name(f"{name}.yml")
    file.write_text(yaml.safe_dump({**yaml.safe_load(one.read_text()), **entries}, sort_keys=False))
    return file


def digests(file: Path, out: Path) -> dict[tuple[str, str], str]:
    declared = read_study(file)
    size = declared.size("stub")
    recipes = Recipes(declared, size)
    return {(c.arm, c.kind): recipes.digest(c) for c in grid(declared, size, out)}


def images(**arguments: Any) -> dict[str, Any]:
    change = {"_delete_": True, **arguments}
    return {"change": {"train_dataloader": {"dataset": {"images": change}}}}


def test_digests_of_two_declarations(one, tmp_path):
    """Names, places and the order of arguments do not count; all that is trained on does."""
    root = str(one.parent / "pictures")
    lists = yaml.safe_load(one.read_text())["lists"]
    moved = tmp_path / "of another name.txt"
    moved.write_bytes(Path(lists["train"]).read_bytes())
    fewer = tmp_path / "fewer.txt"
    fewer.write_text("".join(Path(lists["train"]).read_text().splitlines(True)[:-1]))
    arms = {
        "start": {"pretrain": "none"},
        "one-way": images(type="FolderImages", root=root, recursive=True),
        "the-other": images(recursive=True, root=root, type="FolderImages"),
        "other-images": images(type="FolderImages", root=root, recursive=False),
        "zoom+affine": {"change": nested_ops(zoom="ZoomInOut", affine="Affine")},
        "affine+zoom": {"change": nested_ops(affine="Affine", zoom="ZoomInOut")},
        "fewer": {"pretrain": "none", "lists": {"train": str(fewer), "test": str(moved)}},
    }
    both = {"train": str(moved), "test": str(moved)}
    other = variant(one, "other", question="Else?", arms=arms, reference="start", lists=both)
    first, found = digests(one, tmp_path / "a"), digests(other, tmp_path / "b")
    assert found["start", FINETUNE] == first["scratch", FINETUNE]
    for kind in (PRETRAIN, FINETUNE):
        assert found["one-way", kind] == found["the-other", kind]
        unlike = ("one-way", "other-images", "zoom+affine", "affine+zoom")
        assert len({found[arm, kind] for arm in unlike}) == len(unlike)
    assert found["fewer", FINETUNE] != found["start", FINETUNE], "a list is what it holds"


def test_a_study_without_anything_left_to_run(one, tmp_path, monkeypatch, capsys):
    def finish(cell: Cell, digest: str) -> None:
        counted = dict(loss=1.0, updates=9, clips=CLIPS, seconds=3.0, startup=1.0)
        scores: dict[str, Any] = dict(top1=None, correct=None, videos=None)
        if cell.kind == FINETUNE:
            scores = dict(top1=25.0, correct=2, videos=8)
        cell.run.mkdir(parents=True)
        cell.encoder.write_text("weights")
        about = dict(kind=cell.kind, digest=digest)
        write_json(cell.folder / "result.json", {**about, **counted, **scores})

    declared = read_study(one)
    recipes = Recipes(declared, declared.size("stub"))
    for cell in grid(declared, declared.size("stub"), tmp_path):
        finish(cell, recipes.digest(cell))
    monkeypatch.setattr(session, "Child", None)
    names = {"begin": ARMS["scratch"], "plain": ARMS["Zoom"]}
    other = variant(one, "other", arms=names, reference="begin")
    assert study(StudyOptions(str(other), out=tmp_path, seconds=600, parallel=1)) == 0
    assert "plain, 36 clips, seed 0, pretrain: loss 1.000, 3 s, taken over from stub/stub/Zoom" in (
        capsys.readouterr().out
    )
    folder = tmp_path / "other/stub"
    rows = {(row.arm, row.kind): row for row in read_rows([folder / "results.csv"])}
    true = {
        ("begin", FINETUNE): "scratch/clips0_seed0/fold0",
        ("plain", PRETRAIN): f"Zoom/clips{CLIPS}_seed0/pretrain",
        ("plain", FINETUNE): f"Zoom/clips{CLIPS}_seed0/fold0",
    }
    assert rows.keys() == true.keys()
    for key, place in true.items():
        assert (rows[key].study, rows[key].state) == ("other", "done")
        assert (folder / rows[key].folder).resolve() == tmp_path / "stub/stub" / place
        result = json.loads((folder / rows[key].folder / "result.json").read_text())
        assert result["top1"] == rows[key].top1
    encoder = folder / f"plain/clips{CLIPS}_seed0/pretrain/run/encoder.pth"
    assert encoder.read_text() == "weights"
