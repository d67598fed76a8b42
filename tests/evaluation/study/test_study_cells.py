"""A cell that is stopped or killed goes on to the very same result; run here, in this process."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer
from stub_study import CLIPS, EPOCHS, nested_ops, results, write_study

from mmpmg.evaluation.study.cell_hooks import STOPPED
from mmpmg.evaluation.study.cell_process import newest_whole, run_cell
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cells import Cell, grid, read_json, write_json
from mmpmg.evaluation.study.declaration import read_study

PAST = 1.0
"""A deadline that is over: a cell does one epoch, saves it, and stops."""


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("stub"))


def cells(declared: Path, out: Path) -> list[Cell]:
    study = read_study(declared)
    found = grid(study, study.size("stub"), out, arms=["Zoom"])
    recipes = Recipes(study, study.size("stub"))
    for cell in found:
        cell.folder.mkdir(parents=True, exist_ok=True)
        recipes.write(cell)
    return found


def once(cell: Cell, until: float | None = None) -> int:
    for shared in (MMLogger, MessageHub, Visualizer, *Visualizer.__subclasses__()):
        shared._instance_dict.clear()  # two runs of one second would share them
    torch.set_num_threads(1)
    budget = cell.clips if cell.fold is None else None
    return run_cell(cell.folder, cell.kind, time.time(), until, save_every=0, clips=budget)


@pytest.mark.slow
def test_slices_and_torn_files_change_no_bit(declared, tmp_path):
    whole = cells(declared, tmp_path / "whole")
    assert [once(cell) for cell in whole] == [0, 0]

    pretrain, finetune = cells(declared, tmp_path / "sliced")
    for epoch in (1, 2):
        assert once(pretrain, PAST) == STOPPED
        state = read_json(pretrain.folder / "state.json")
        assert (state["state"], state["epoch"], state["updates"]) == ("stopped", epoch, 3 * epoch)
    # Killed while the second epoch's checkpoint and the name of the last one were written.
    newest = pretrain.run / "epoch_2.pth"
    newest.write_bytes(newest.read_bytes()[:-1000])
    (pretrain.run / "last_checkpoint").write_text("")
    assert once(pretrain) == 0
    # Killed between the last checkpoint and the result.
    (pretrain.folder / "result.json").unlink()
    pretrain.encoder.unlink()
    assert once(pretrain) == 0
    assert [file.name for file in pretrain.run.glob("epoch_*.pth")] == [f"epoch_{EPOCHS}.pth"]

    stops = 0
    while once(finetune, PAST) == STOPPED:
        stops += 1
    assert stops == EPOCHS - 1, "one epoch each, and then the last one with its validation"

    one, other = results(tmp_path / "whole"), results(tmp_path / "sliced")
    assert one == other
    assert one[f"stub/stub/Zoom/clips{CLIPS}_seed0/pretrain"]["clips"] == CLIPS
    tuned = one[f"stub/stub/Zoom/clips{CLIPS}_seed0/fold0"]
    assert tuned["top1"] == pytest.approx(100 * tuned["correct"] / 8)
    assert (tuned["videos"], tuned["updates"]) == (8, 2 * EPOCHS)
    encoders = [
        torch.load(c.encoder, weights_only=False)["state_dict"] for c in (whole[0], pretrain)
    ]
    assert all(torch.equal(value, encoders[1][key]) for key, value in encoders[0].items())


def test_weights_that_are_not_finite_are_no_result(declared, tmp_path, monkeypatch):
    from mmpmg.evaluation.study import cell_result

    pretrain, _ = cells(declared, tmp_path)
    read = cell_result.read_checkpoint

    def broken(path):
        loaded = dict(read(path))
        state = dict(loaded["state_dict"])
        key = next(iter(state))
        loaded["state_dict"] = {**state, key: torch.full_like(state[key], math.nan)}
        return loaded

    monkeypatch.setattr(cell_result, "read_checkpoint", broken)
    with pytest.raises(cell_result.CellError, match="not finite"):
        once(pretrain)
    state = read_json(pretrain.folder / "state.json")
    assert state["state"] == "failed" and "1 weights are not finite" in state["error"]
    assert not (pretrain.folder / "result.json").exists()

    monkeypatch.undo()
    with pytest.raises(cell_result.CellError, match=f"{CLIPS} clips were seen; the budget is 7"):
        once(dataclasses.replace(pretrain, clips=7))


def test_only_whole_checkpoints_count(tmp_path):
    for epoch in (2, 9, 10):
        torch.save({"weights": torch.ones(5000)}, tmp_path / f"epoch_{epoch}.pth")
    assert newest_whole(tmp_path).name == "epoch_10.pth", "by number, not by name"
    whole = (tmp_path / "epoch_10.pth").read_bytes()
    for broken in (b"", whole[:-30], whole[:100], whole[: len(whole) // 2] + b"x" * 50):
        (tmp_path / "epoch_10.pth").write_bytes(broken)
        assert newest_whole(tmp_path).name == "epoch_9.pth"
        assert (tmp_path / "last_checkpoint").read_text() == str(tmp_path / "epoch_9.pth")
        assert not (tmp_path / "epoch_10.pth").exists()
    for file in tmp_path.glob("*.pth"):
        file.unlink()
    assert newest_whole(tmp_path) is None and not (tmp_path / "last_checkpoint").exists()


def test_the_written_recipe_is_the_one_that_the_digest_is_of(declared, tmp_path):
    from mmengine.config import Config

    from mmpmg.engine.recipe_changes import walk_recipe

    study = read_study(declared)
    recipes = Recipes(study, study.size("stub"))
    for cell in cells(declared, tmp_path):
        written = Config.fromfile(cell.folder / "recipe.py").to_dict()
        resolved = recipes.resolved(cell)
        assert written == resolved
        # equal dicts may differ in their order, which is that of a pipeline's steps
        orders = [
            [list(node) for path, node in walk_recipe(one) if path] for one in (written, resolved)
        ]
        assert orders[0] == orders[1]


def test_a_digest_follows_what_decides_the_result_and_nothing_else(declared, tmp_path):
    def digests(**entries):
        file = tmp_path / "stub.yml"
        content = json.loads(json.dumps(read_yaml(declared)))
        file.write_text(json.dumps({**content, **entries}))
        study = read_study(file)
        recipes = Recipes(study, study.size("stub"))
        found = grid(study, study.size("stub"), tmp_path / "out", arms=["Zoom"])
        return [recipes.digest(cell) for cell in found]

    first = digests()
    assert digests(question="Another?") == first
    moved = digests(
        arms={"scratch": {"pretrain": "none"}, "Zoom": {"change": nested_ops(z="Affine")}}
    )
    assert moved[0] != first[0] and moved[1] != first[1], "a fine-tuning follows its pre-training"
    tuned = {"change": {}, "finetune_change": {"model": {"backbone": {"drop_path_rate": 0.1}}}}
    again = digests(arms={"scratch": {"pretrain": "none"}, "Zoom": tuned})
    assert again[0] == first[0] and again[1] != first[1]
    quiet = {"change": {"train_dataloader": {"num_workers": 3}, "log_level": "ERROR"}}
    assert digests(arms={"scratch": {"pretrain": "none"}, "Zoom": quiet}) == first
    sizes = read_yaml(declared)["sizes"]
    sizes["stub"]["threads"] = 2
    assert digests(sizes=sizes) != first, "sums of floats depend on the threads"


def read_yaml(file: Path) -> dict:
    import yaml

    return yaml.safe_load(file.read_text())


def test_numbers_that_are_not_finite_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "x.json", {"loss": math.nan})
    assert not list(tmp_path.iterdir())
