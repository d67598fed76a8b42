"""The zoo is in order; each way in which it can fall out of order is told, with what mends it."""

from __future__ import annotations

import hashlib
import os
import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from mmengine.config import utils as config_utils

from mmpmg.evaluation.paper_numbers import PAPER_NUMBERS, SCRATCH
from mmpmg.evaluation.zoo.check import write_zoo, zoo_problems
from mmpmg.evaluation.zoo.methods import METHODS
from mmpmg.evaluation.zoo.tables import BEGIN, END

ROOT = Path(__file__).resolve().parents[1]
RECIPES = (
    "pmg/vit-toy_generated",
    "pmg/vit-toy_generated_smoke",
    "pmg/vit-b_shaders1k",
    "finetune/vit-toy_gestures",
    "finetune/vit-b_ucf101",
    "vos/vit-toy_davis-mini",
)
RECORDS = """
Results:
- Recipe: finetune/vit-toy_gestures
  Pre-training: pmg/vit-toy_generated
  Metrics: {Top 1 Accuracy: 17.5}
  Row: generated-pmg
Measurements:
- {Recipes: [pmg/vit-b_shaders1k], Memory: 6456 MB (32 clips), Row: ViT base}
Published: []
"""
README = f"""# Short
| generated-pmg | 17.5 ± 3.0 |
| ViT base | 6456 |

{BEGIN}
{END}
behind
"""
PLACE = "pmg/vit-toy_generated"
METAFILE = "configs/pmg/metafile.yml"


@pytest.fixture(scope="session")
def small_zoo(tmp_path_factory) -> Path:
    """A checkout of few recipes, with a zoo that was written for it."""
    root = tmp_path_factory.mktemp("zoo") / "checkout"
    shutil.copytree(ROOT / "configs/_base_", root / "configs/_base_")
    for recipe in RECIPES:
        path = root / "configs" / f"{recipe}.py"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "configs" / f"{recipe}.py", path)
    for about in METHODS.values():
        for place in (about.page, about.code):
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text("# Something\n")
    (root / "README.md").write_text(README)
    (root / "docs/zoo.md").write_text(f"# Zoo\n\n{BEGIN}\n{END}\n")
    (root / "zoo").mkdir()
    (root / "zoo/records.yml").write_text(RECORDS)
    write_zoo(root)
    return root


@pytest.fixture
def zoo(small_zoo, tmp_path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(small_zoo, tmp_path / "checkout"))


@pytest.fixture
def tool(monkeypatch):
    """``tools/model_zoo.py`` with options -> its exit status, or what it says instead."""

    def run(*options: object) -> int | str:
        path = str(ROOT / "tools/model_zoo.py")
        monkeypatch.setattr(sys, "argv", [path, *map(str, options)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(path, run_name="__main__")
        return end.value.code

    return run


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def problems(root: Path, *counted: str) -> list[str]:
    return zoo_problems(root, counted)


def entry(root: Path, method: str, name: str) -> dict:
    models = yaml.safe_load((root / f"configs/{method}/metafile.yml").read_text())["Models"]
    (found,) = [model for model in models if model["Name"] == name]
    return found


def test_the_zoo_is_in_order():
    """All of it but the sizes; of these, one of each kind of model."""
    recipes = ("pmg/vit-s_shaders1k", "demvm/swin-t_ucf101", "finetune/vit-b_hmdb51")
    assert problems(ROOT, *recipes, "tokenizer/vqvae2d_toy_photographs") == []


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


def test_nothing_is_wrong_with_the_small_one(zoo):
    assert zoo_problems(zoo) == []
    assert write_zoo(zoo) == []


def test_what_is_written_says_what_is_known(zoo):
    model = entry(zoo, "pmg", "pmg_vit-b_shaders1k")
    assert model["Config"] == "configs/pmg/vit-b_shaders1k.py"
    about = model["Metadata"]
    assert about["Training Data"] == "Shaders1k"
    assert (about["Training Resources"], about["Epochs"], about["Batch Size"]) == (
        "8 GPUs",
        2000,
        256,
    )
    assert about["Training Memory"] == "6456 MB (32 clips)"
    of_ucf101 = next(item for item in model["Results"] if item["Dataset"] == "UCF101")
    assert of_ucf101["Ours"] == "not run yet"
    assert list(of_ucf101["Metrics"]) == ["Paper Top 1 Accuracy"]  # MIM compares numbers
    ours = entry(zoo, "pmg", "pmg_vit-toy_generated")["Results"][0]
    assert (ours["Metrics"], ours["Ours"]) == ({"Top 1 Accuracy": 17.5}, "README.md")
    page = (zoo / "docs/zoo.md").read_text()
    assert "[EgoGestAR 17.5](../README.md)" in page
    assert "UCF101 89.6; HMDB51 59.7" in page
    short = (zoo / "README.md").read_text()
    assert "| `pmg/vit-b_shaders1k` | 86.2 | 110 | UCF101 89.6" in short
    assert short.startswith("# Short\n")
    assert short.endswith(f"{END}\nbehind\n")
    assert "smoke" not in page


def test_a_recipe_without_an_entry(zoo):
    shutil.copy(zoo / f"configs/{PLACE}.py", zoo / f"configs/{PLACE}_long.py")
    (told,) = problems(zoo)
    assert told == f"configs/{PLACE}_long.py has no entry in {METAFILE}; type: tools/model_zoo.py"
    write_zoo(zoo, ())
    assert problems(zoo) == []
    assert entry(zoo, "pmg", "pmg_vit-toy_generated_long")["Metadata"]["Parameters"] > 10**6


def test_a_mere_trial_needs_none(zoo):
    shutil.copy(zoo / f"configs/{PLACE}.py", zoo / f"configs/{PLACE}_long_smoke.py")
    assert problems(zoo) == []


def test_an_entry_without_a_recipe(zoo):
    (zoo / "configs/finetune/vit-b_ucf101.py").unlink()
    (told,) = problems(zoo)
    assert "finetune_vit-b_ucf101 is of configs/finetune/vit-b_ucf101.py, which does not" in told
    assert "tools/model_zoo.py" in told


def test_a_recipe_that_nobody_can_name(zoo, tool):
    shutil.copy(zoo / f"configs/{PLACE}.py", zoo / "configs/pmg/vit-b_movies.py")
    told = tool("--count", "--root", zoo)
    assert told.startswith("error: configs/pmg/vit-b_movies.py: the data 'movies' has no name")
    assert "zoo/methods.py" in told


def test_parameters_that_no_longer_agree(zoo):
    change(zoo / "configs/_base_/models/videomae_vit-toy.py", "depth=6", "depth=7")
    assert problems(zoo) == []  # nobody looked
    told = problems(zoo, PLACE)
    assert len(told) == 3
    block = 12 * 192**2 + 12 * 192
    for line, key in zip(told, ("Parameters", "Encoder Parameters", "FLOPs"), strict=True):
        old, new = map(int, re.search(rf"has {key} (\d+), and .* has (\d+);", line).groups())
        assert new - old == block or (key == "FLOPs" and new > old)
        assert "tools/model_zoo.py" in line
    write_zoo(zoo, [PLACE])
    assert problems(zoo, PLACE) == []


@pytest.mark.parametrize("place", [METAFILE, "docs/zoo.md", "README.md"])
def test_a_stale_table(zoo, place):
    change(zoo / place, "89.6", "98.6")
    told = problems(zoo)
    assert len(told) == 1
    assert told[0].startswith(f"{place} is stale")
    assert "98.6" in told[0]
    assert "tools/model_zoo.py" in told[0]


def test_an_index_that_leaves_a_method_out(zoo):
    change(zoo / "model-index.yml", "- configs/vos/metafile.yml\n", "")
    (told,) = problems(zoo)
    assert told.startswith("model-index.yml is stale")
    assert "vos" in told


def test_a_page_without_marks(zoo):
    change(zoo / "docs/zoo.md", END, "")
    assert any("docs/zoo.md lacks the marks" in line for line in problems(zoo))


def test_a_dead_link(zoo):
    (zoo / "docs/vos.md").unlink()
    told = problems(zoo)
    assert len(told) == 2
    assert "README docs/vos.md does not exist" in told[0]
    assert "docs/zoo.md: the link vos.md leads nowhere" in told[1]


def test_a_number_on_no_page(zoo):
    change(zoo / "README.md", "17.5", "17.6")
    (told,) = problems(zoo)
    assert "begins with 'generated-pmg' and has 17.5" in told


def test_a_record_of_no_recipe(zoo):
    change(zoo / "zoo/records.yml", "vit-toy_gestures", "vit-toy_gesture")
    assert "there is no configs/finetune/vit-toy_gesture.py" in problems(zoo)[0]


def publish(root: Path, content: bytes = b"weights") -> str:
    digest = hashlib.sha256(content).hexdigest()
    where = f"zoo/files/vit-toy-{digest[:8]}.pth"
    (root / "zoo/files").mkdir()
    (root / where).write_bytes(content)
    change(
        root / "zoo/records.yml",
        "Published: []",
        "Published:\n- Recipe: finetune/vit-toy_gestures\n"
        "  Pre-training: pmg/vit-toy_generated\n"
        f"  Files: [{{Where: {where}, SHA256: '{digest}'}}]\n",
    )
    return where


def test_published_weights_come_into_the_entry_and_the_table(zoo):
    where = publish(zoo)
    assert all("is stale" in line for line in problems(zoo))
    write_zoo(zoo, ())
    assert problems(zoo) == []
    model = entry(zoo, "finetune", "finetune_vit-toy_gestures")
    assert (model["Weights"], model["Pre-training"]) == (where, PLACE)
    assert model["SHA256"] == hashlib.sha256(b"weights").hexdigest()
    assert model["Results"][0]["Metrics"] == {"Top 1 Accuracy": 17.5}
    assert (
        f"[{Path(where).name}](../{where}) | `{model['SHA256']}`"
        in (zoo / "docs/zoo.md").read_text()
    )


@pytest.mark.parametrize("fault", ["damaged", "does not exist"])
def test_a_file_that_is_not_what_it_was(zoo, fault):
    where = publish(zoo)
    write_zoo(zoo, ())
    if fault == "damaged":
        (zoo / where).write_bytes(b"weightz")
    else:
        (zoo / where).unlink()
    (told,) = problems(zoo)
    assert where in told
    assert fault in told


def test_the_command_tells_and_fails_and_mends(zoo, tool, capsys):
    assert tool("--check", "--count", "--root", zoo) == 0
    (zoo / "configs/finetune/vit-b_ucf101.py").unlink()
    capsys.readouterr()
    assert tool("--check", "--count", "--root", zoo) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "which does not exist" in line
    assert tool("--count", "--root", zoo) == 0
    written = capsys.readouterr().out
    assert "written: configs/finetune/metafile.yml" in written
    assert "metafile.yml.part" not in os.listdir(zoo / "configs/finetune")
    assert tool("--check", "--count", "--root", zoo) == 0


def test_mmengine_finds_recipes_and_their_weights(zoo):
    """What ``mmengine.hub`` looks up, on the files as a wheel has them."""
    where = publish(zoo)
    write_zoo(zoo, ())
    package = zoo.parent / "package"
    package.mkdir()
    shutil.copytree(zoo / "configs", package / ".mim/configs")
    shutil.copy(zoo / "model-index.yml", package / ".mim/model-index.yml")
    found = config_utils._get_cfg_metainfo(str(package), "finetune/vit-toy_gestures.py")
    assert found["Weights"] == where
    plain = config_utils._get_cfg_metainfo(str(package), f"{PLACE}.py")
    assert (package / ".mim" / plain["Config"]).is_file()
    assert "Weights" not in plain


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
