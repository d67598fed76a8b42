"""Each way in which a zoo can fall out of order is told in a sentence, with what mends it."""

from __future__ import annotations

import hashlib
import re
import shutil

import pytest
import torch
from zoo_checkout import END, METAFILE, PLACE, change, entry, problems, publish

from mmpmg.evaluation.zoo.check import write_zoo

MEND = "type: tools/model_zoo.py --count"


def test_a_recipe_without_an_entry(zoo):
    shutil.copy(zoo / f"configs/{PLACE}.py", zoo / f"configs/{PLACE}_long.py")
    (told,) = problems(zoo)
    assert told == f"configs/{PLACE}_long.py has no entry in {METAFILE}; {MEND}"
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


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_recipe_to_count_that_is_mistyped(zoo, tool, capsys, options):
    told = tool("--root", zoo, *options, "--count", f"configs/{PLACE}.py")
    said = told if told != 1 else capsys.readouterr().out
    assert f"--count configs/{PLACE}.py: no such recipe in the zoo" in said
    assert f"such as {PLACE}" in said


def test_parameters_that_no_longer_agree(zoo):
    change(zoo / "configs/_base_/models/videomae_vit-toy.py", "depth=6", "depth=7")
    assert problems(zoo) == []  # nobody looked
    told = problems(zoo, PLACE)
    assert len(told) == 3
    block = 12 * 192**2 + 12 * 192
    for line, key in zip(told, ("Parameters", "Encoder Parameters", "FLOPs"), strict=True):
        old, new = map(int, re.search(rf"has {key} (\d+), and .* has (\d+);", line).groups())
        assert new - old == block or (key == "FLOPs" and new > old)
        assert line.endswith("; type: tools/model_zoo.py")  # counts all
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


def test_weights_of_another_model_than_the_recipes(zoo):
    where = publish(zoo, classes=3)
    write_zoo(zoo, ())
    (told,) = problems(zoo)
    assert f"{where} is published under finetune/vit-toy_gestures" in told
    assert re.search(r"cls_head\.\S+: \(3, 192\) in the file, \(10, 192\) in the model", told)


@pytest.mark.parametrize("fault", ["lacks a weight", "is no file of weights"])
def test_files_that_do_not_fill_a_model(zoo, fault):
    where = publish(zoo)
    path, old = zoo / where, hashlib.sha256((zoo / where).read_bytes()).hexdigest()
    if fault == "lacks a weight":
        state = torch.load(path, weights_only=True)
        del state["backbone.blocks.0.norm1.weight"]
        torch.save(state, path)
    else:
        path.write_bytes(b"<html>")
    new = hashlib.sha256(path.read_bytes()).hexdigest()
    path.rename(zoo / where.replace(old[:8], new[:8]))
    records = (zoo / "zoo/records.yml").read_text()
    (zoo / "zoo/records.yml").write_text(records.replace(old, new).replace(old[:8], new[:8]))
    write_zoo(zoo, ())
    (told,) = problems(zoo)
    assert "is published under finetune/vit-toy_gestures" in told
    assert ("norm1.weight is missing" in told) == (fault == "lacks a weight")
    assert str(zoo) not in told


RECIPE = "configs/pmg/vit-toy_generated.py"


@pytest.mark.parametrize("place", [METAFILE, "zoo/records.yml"])
def test_a_tag_that_names_code_is_refused_and_nothing_is_run(zoo, tool, place):
    mark = zoo / "ran"
    (zoo / place).write_text(f"Models: !!python/object/apply:os.mkdir ['{mark}']\n")
    told = problems(zoo)
    assert not mark.exists()
    assert len(told) == 1
    assert re.match(rf"{place}, line 1, cannot be read as YAML: .*os\.mkdir", told[0])
    assert tool("--count", "--root", zoo) == f"error: {told[0]}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Models: [a", "line 2, cannot be read as YAML"),
        ("a: 2020-99-99", "cannot be read as YAML"),
        ("\x00", "cannot be read as YAML"),
        ("[" * 5000, "nested too deeply"),
        ("- Models", "holds a list where Collections and Models should be"),
        ("Models: abc", "Models must be a list of entries"),
        ("Models: [abc]", "Models must be a list of entries"),
        ("Collections: abc", "Collections must be a list of entries"),
        ("Models: [{Config: a}]", "entry 1 of Models has no Name"),
        ("Models: [{Name: a, Metadata: b}]", "Metadata of a is 'b'"),
        ("Models: [{Name: a, Metadata: {Parameters: many}}]", "Parameters of a is 'many'"),
    ],
)
def test_a_metafile_that_is_none_is_named(zoo, content, words):
    (zoo / METAFILE).write_text(content + "\n")
    (told,) = problems(zoo)
    assert told.startswith(METAFILE)
    assert words in told
    write_zoo(zoo)
    assert problems(zoo) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("17.5}", "high}", "Top 1 Accuracy of finetune/vit-toy_gestures is 'high'"),
        ("Published: []", "Published: abc", "Published is 'abc', and must be a list"),
        ("[pmg/vit-b_shaders1k]", "7", "Recipes is 7"),
        ("6456 MB (32 clips)", "6456", "Memory is 6456, and must be text"),
        ("Row: generated-pmg", "Row: 7", "Row is 7, and must be text"),
    ],
)
def test_a_record_of_another_kind(zoo, old, new, words):
    change(zoo / "zoo/records.yml", old, new)
    (told,) = problems(zoo)
    assert told.startswith("zoo/records.yml")
    assert words in told


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("_base_ = [", "_base_ = [[", "SyntaxError"),
        ("_base_ = [", '_base_ = ["../_base_/none.py", ', "none.py"),
    ],
)
def test_a_recipe_that_cannot_be_read(zoo, tool, old, new, words):
    change(zoo / RECIPE, old, new)
    (told,) = problems(zoo)
    assert told.startswith(f"{RECIPE}: the recipe or its model cannot be built (")
    assert words in told
    assert tool("--count", "--root", zoo) == f"error: {told}"
