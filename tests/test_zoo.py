"""The zoo of this repository is in order, and MIM can read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from mmpmg.evaluation.paper_numbers import PAPER_NUMBERS, SCRATCH
from mmpmg.evaluation.zoo.check import zoo_problems
from mmpmg.evaluation.zoo.methods import METHODS

ROOT = Path(__file__).resolve().parents[1]


def test_the_zoo_is_in_order():
    """All of it but the sizes; of these, one of each kind of model."""
    recipes = ("pmg/vit-s_shaders1k", "demvm/swin-t_ucf101", "finetune/vit-b_hmdb51")
    assert zoo_problems(ROOT, [*recipes, "tokenizer/vqvae2d_toy_photographs"]) == []


def test_every_number_of_the_papers_is_in_a_metafile():
    found = {}
    for path in ROOT.glob("configs/*/metafile.yml"):
        for model in yaml.safe_load(path.read_text())["Models"]:
            own = model["Config"].removeprefix("configs/").removesuffix(".py")
            for result in model["Results"]:
                pretraining = SCRATCH if result["Recipe"] == own else own
                number = result["Metrics"].get("Paper Top 1 Accuracy")
                if number is not None:
                    found[result["Recipe"], pretraining] = number, result["Paper Source"]
    assert found == {pair: tuple(number) for pair, number in PAPER_NUMBERS.items()}


def test_names_are_such_that_mim_can_ask_for_them_and_name_files_after_them():
    """MIM compares in lower case, and writes ``NAME.py`` into one folder."""
    names = []
    for path in ROOT.glob("configs/*/metafile.yml"):
        content = yaml.safe_load(path.read_text())
        (collection,) = content["Collections"]
        for model in content["Models"]:
            names.append(model["Name"])
            assert model["In Collection"] == collection["Name"]
            for result in model["Results"]:
                assert all(isinstance(value, float) for value in result["Metrics"].values())
            asked = [(item["Dataset"], tuple(item["Metrics"])) for item in model["Results"]]
            assert len(set(asked)) == len(asked), "MIM would show one of two results"
    assert len(set(names)) == len(names) > 200
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in names)


def test_the_index_is_one_to_the_library_that_mim_reads_it_with():
    model_index = pytest.importorskip("modelindex.load_model_index")
    index = model_index.load(str(ROOT / "model-index.yml"))
    index.check(silent=True)
    assert len(index.models) > 200
    assert [error for model in index.models for error in model.check_errors] == []
    titles = {about.title for about in METHODS.values()}
    assert {collection.name for collection in index.collections} == titles
    for model in index.models:
        assert model.in_collection in titles
        assert model.results is not None, "MIM goes through them without asking"
