"""Every mistake in a declaration is a sentence that names the file, the key and what is allowed."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from stub_study import CLIPS, nested_ops, write_study

from mmpmg.evaluation.study.cells import grid
from mmpmg.evaluation.study.change_check import check_change
from mmpmg.evaluation.study.declaration import read_study
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.runner import check_study

ROOT = Path(__file__).parents[3]
WORDS = {
    "question": "Does it?",
    "sizes": {"cpu": {"pretrain": "a.py", "finetune": "b.py", "clips": [100, 200]}},
    "seeds": [0, 1],
    "folds": [0, 1],
    "lists": {"train": "f{fold}_train.txt", "test": "f{fold}_test.txt"},
    "reference": "Still",
    "arms": {"scratch": {"pretrain": "none"}, "Still": {}, "few": {"pretrain": "Still"}},
}


def read(tmp_path, change=lambda content: None):
    content = copy.deepcopy(WORDS)
    change(content)
    file = tmp_path / "words.yml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return read_study(file)


def test_order_of_cells(tmp_path):
    study = read(tmp_path)
    cells = grid(study, study.size("cpu"), tmp_path)
    first = [(c.arm, c.clips, c.kind) for c in cells if c.seed == 0 and c.fold in (None, 0)]
    assert first == [
        ("scratch", 0, "finetune"),
        ("Still", 100, "pretrain"), ("Still", 100, "finetune"), ("few", 100, "finetune"),
        ("Still", 200, "pretrain"), ("Still", 200, "finetune"), ("few", 200, "finetune"),
    ]  # fmt: skip
    # By seed, then fold; a pre-training is there once for its folds and for the arm that shares it.
    assert [c.seed for c in cells] == sorted(c.seed for c in cells)
    assert sum(c.kind == "pretrain" for c in cells) == 2 * 2
    assert len(cells) == len({c.folder for c in cells}) == 2 * 2 * (1 + 2 * 2) + 4
    few = [c for c in grid(study, study.size("cpu"), tmp_path, arms=["few"]) if c.seed == 0]
    assert {(c.arm, c.kind) for c in few} == {("Still", "pretrain"), ("few", "finetune")}
    assert cells[1].folder == tmp_path / "words/cpu/Still/clips100_seed0/pretrain"


def put(*keys, value):
    def change(content):
        for key in keys[:-1]:
            content = content[key]
        if value is None:
            del content[keys[-1]]
        else:
            content[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            put("reference_arm", value="Still"),
            "'reference_arm' is read by nobody .did you mean 'reference'",
        ),
        (put("reference", value="Stilll"), "reference is 'Stilll'.*did you mean 'Still'"),
        (put("reference", value=None), "reference is missing"),
        (put("sizes", value={}), "sizes is {}"),
        (put("sizes", "cpu", "clip", value=[1]), "'clip' in sizes.cpu is read by nobody"),
        (put("sizes", "cpu", "clips", value=None), "sizes.cpu.clips is missing"),
        (put("sizes", "cpu", "clips", value=[0]), "sizes.cpu.clips is \\[0\\].*1 or more"),
        (put("sizes", "cpu", "threads", value="two"), "sizes.cpu.threads is 'two'"),
        (put("seeds", value=[0, 0]), "seeds is \\[0, 0\\].*none twice"),
        (put("seeds", value=None), "seeds is missing, at the top or in sizes.cpu"),
        (put("lists", "test", value=None), "lists.test is missing"),
        (put("lists", value={"train": "a", "test": "b"}), "lists must hold {fold}"),
        (put("arms", "few", "pretrain", value="Stll"), "arms.few.pretrain is 'Stll'.*'Still'"),
        (put("arms", "few", "pretrain", value="scratch"), "arm with a pre-training of its own"),
        (put("arms", "few", "change", value={"a": 1}), "looked at by nobody"),
        (put("arms", "a/b", value={}), "entry 'a/b'.*names a folder too"),
        (put("arms", "Still", "paper", value={"UCF101": "high"}), "arms.Still.paper.UCF101 is"),
        (put("arms", "Still", value=["x"]), "arms.Still holds \\['x'\\] where a mapping"),
        (put("arms", "Still", "recipe", value={"gpu": "x.py"}), "arms.Still.recipe.cpu is missing"),
    ],
)
def test_mistakes(change, words, tmp_path):
    with pytest.raises(StudyError, match=f"words.yml: .*{words}"):
        read(tmp_path, change)


def test_mistakes_of_a_request(tmp_path):
    study = read(tmp_path)
    with pytest.raises(StudyError, match="--size gpu: .* declares cpu"):
        study.size("gpu")
    with pytest.raises(StudyError, match="--arms scrath: .*did you mean 'scratch'"):
        grid(study, study.size("cpu"), tmp_path, arms=["scrath"])
    with pytest.raises(StudyError, match="--folds 7: .* declares 0, 1"):
        grid(study, study.size("cpu"), tmp_path, folds=[7])
    with pytest.raises(StudyError, match="no study at motion-famlies; .*'motion-families'"):
        read_study("motion-famlies")
    (tmp_path / "torn.yml").write_text("question: [")
    with pytest.raises(StudyError, match="torn.yml, line 1, cannot be read as YAML"):
        read_study(tmp_path / "torn.yml")


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("stub"))


def check(stub, tmp_path, **more):
    content = {**yaml.safe_load(stub.read_text()), **more}
    file = tmp_path / "stub.yml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    study = read_study(file)
    return check_study(study, study.size("stub"), grid(study, study.size("stub"), tmp_path / "out"))


def arm(**entries):
    return {"arms": {"scratch": {"pretrain": "none"}, "Zoom": entries}}


def test_a_right_study_passes(stub, tmp_path):
    recipes = check(stub, tmp_path, **arm(change=nested_ops(zoom="ZoomInOut")))
    ops = recipes.arm(recipes.study.arms["Zoom"], "pretrain")["train_dataloader"]["dataset"]
    assert list(ops["pipeline"]["motion"]["ops"]) == ["zoom"]
    assert not (tmp_path / "out").exists(), "looking writes nothing"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"models": {"a": 1}}, "arms.Zoom.change names models: .*did you mean 'model'"),
        ({"model": {"maskr": 1}}, "model.maskr.*no option 'maskr' .did you mean 'masker'"),
        ({"train_dataloader": {"batchsize": 3}}, "DataLoader has no option 'batchsize'"),
        ({"train_dataloader": {"dataset": {"pipeline": {"motoin": {"ops": 1}}}}},
         "pipeline has no 'motoin' .did you mean 'motion'"),
        ({"default_hooks": {"loggr": {"interval": 1}}}, "did you mean 'logger'"),
        ({"model": {"masker": {"mask_ratoi": 0.5}}}, "no option 'mask_ratoi'"),
        ({"model": {"masker": {"mask_ratio": 5.0}}}, "Zoom, .*, pretrain: .*mask_rati"),
        (nested_ops(zoom="ZoomInOt"), "no motion .did you mean 'ZoomInOut'"),
        ({"model": 3}, "sets model to 3, where the recipe has type"),
    ],
)  # fmt: skip
def test_a_change_that_reaches_nothing(change, words, stub, tmp_path):
    with pytest.raises(StudyError, match=words):
        check(stub, tmp_path, **arm(change=change))


def test_budgets_data_and_recipes_are_looked_at_before_anything_runs(stub, tmp_path):
    sizes = yaml.safe_load(stub.read_text())["sizes"]
    size = sizes["stub"]
    with pytest.raises(StudyError, match="50 clips are no whole .* sees 12 clips .*48 or 60"):
        check(stub, tmp_path, sizes={"stub": {**size, "clips": [50]}})
    with pytest.raises(StudyError, match="size stub: no recipe at .*pretrian.py"):
        check(stub, tmp_path, sizes={"stub": {**size, "pretrain": "pretrian.py"}})
    images = {"images": {"root": str(tmp_path / "nowhere")}}
    with pytest.raises(StudyError, match="Zoom: .*nowhere"):
        check(stub, tmp_path, **arm(change={"train_dataloader": {"dataset": images}}))
    with pytest.raises(StudyError, match="scratch, seed 0, fold 0: .*absent.txt"):
        check(stub, tmp_path, lists={"train": str(tmp_path / "absent.txt"), "test": "x"})


def test_a_result_of_another_declaration_is_not_taken_over(stub, tmp_path):
    from mmpmg.evaluation.study.cells import write_json

    recipes = check(stub, tmp_path)
    study = recipes.study
    cell = grid(study, study.size("stub"), tmp_path / "out")[1]
    cell.folder.mkdir(parents=True)
    write_json(cell.folder / "result.json", {"digest": recipes.digest(cell)})
    check(stub, tmp_path)
    with pytest.raises(StudyError, match=f"{cell.folder} holds the result of other settings.*Move"):
        check(stub, tmp_path, **arm(change=nested_ops(zoom="ZoomInOut")))
    assert cell.clips == CLIPS


def test_nothing_is_replaced_where_there_is_nothing():
    change = {"model": {"blending": {"_delete_": True, "type": "ClipMixup"}}}
    with pytest.raises(StudyError, match="gives model.blending a _delete_, but the recipe has no"):
        check_change({"model": {}}, change, "x.yml: arms.a.change")
