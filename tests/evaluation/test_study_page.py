"""Files of a study: beside its runs, and on its page, which must not be stale."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
from reference.study_rows import FAMILIES, done, drawn_rows, families, undone, with_gaps

from mmpmg import typed
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cells import RESULT, grid, write_json
from mmpmg.evaluation.study.command import StudyOptions
from mmpmg.evaluation.study.command import study as run_study
from mmpmg.evaluation.study.declaration import read_study
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.outcome import drawn_from, study_summary, write_outcome
from mmpmg.evaluation.study.page import END, mark, page_problems, page_text, publish, skeleton
from mmpmg.evaluation.study.rows import read_rows, write_rows
from mmpmg.evaluation.study.table import study_table

ROOT = Path(__file__).parents[2]
FACTS = dict(
    kind="finetune", loss=1.5, updates=200, clips=3000, seconds=10, startup=3, hardware="x",
    cores=2, threads=1, torch="2", mmpmg="0", commit="c", date="2026-11-22 05:00:00",
)  # fmt: skip


@pytest.fixture
def checkout(tmp_path):
    """A folder with one declaration."""
    (tmp_path / "studies").mkdir()
    (tmp_path / "docs" / "studies").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def study(checkout):
    return families(checkout / "studies")


@pytest.fixture(scope="module")
def published_once(tmp_path_factory):
    """A checkout after results were published; drawing takes seconds."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "studies").mkdir()
    study = families(folder / "studies")
    publish(folder, study, "cpu", with_gaps(drawn_rows(study)))
    return folder


@pytest.fixture
def published(published_once, tmp_path):
    """A copy of it, to be spoilt."""
    return shutil.copytree(published_once, tmp_path / "published")


def study_of(checkout):
    """The declaration in a checkout."""
    return read_study(checkout / "studies" / "families.yml")


def test_the_pages_of_this_repository_are_made_of_its_results():
    assert page_problems(ROOT) == []


def test_what_stands_beside_the_runs_is_made_of_the_rows_alone(study, tmp_path, monkeypatch):
    out = tmp_path / "out"
    for number, cell in enumerate(grid(study, study.size("cpu"), out, ["scratch"], [0, 1])):
        cell.folder.mkdir(parents=True)
        scores = dict(top1=10 + number, correct=number, videos=50)
        write_json(cell.folder / RESULT, dict(FACTS, digest=str(number), **scores))
    written = write_outcome(study, "cpu", out)
    assert [path.name for path in written] == ["results.csv", "table.md", "accuracy.png"]
    assert {path.parent for path in written} == {out / "families" / "cpu"}
    rows = read_rows(written[:1])
    assert len(rows) == 10 * 12 + 9 * 3  # fine-tunings and pre-trainings, run or not
    summary = study_summary(study, "cpu", rows)
    assert summary.chance == 10  # ten gestures
    assert written[1].read_text() == study_table(summary)
    assert "`tools/study.py studies/" in study_table(summary)
    monkeypatch.chdir(tmp_path)
    said = write_outcome(study, "cpu", out)[1].read_text()
    assert said == study_table(summary).replace("tools/study.py", typed.tool("study.py"))
    assert typed.tool("study.py") != "tools/study.py"
    assert "| scratch | – | – | 12.0 |" in study_table(summary)


def test_a_page_begins_as_a_skeleton_and_says_what_was_not_run(checkout, study):
    page = checkout / "docs" / "studies" / "families.md"
    assert page_problems(checkout) == []  # nothing was run, and nothing says so
    page.write_text(skeleton(study))
    stale = "docs/studies/families.md is not what its results say; type: tools/study.py "
    assert page_problems(checkout)[0].startswith(stale)
    page.write_text(page_text(checkout, study, page.read_text()))
    assert page_problems(checkout) == []
    assert "Not run yet: `tools/study.py studies/families.yml --size cpu`." in page.read_text()
    publish(checkout, study, "cpu", [done(study, "Identity", 0, 0, 8)])
    text = page.read_text()
    assert study.question in text and "What the small scale cannot say" in text
    assert "Not run yet" not in text
    page.unlink()
    publish(checkout, study, "cpu", [done(study, "Identity", 0, 0, 8)])
    assert page.read_text() == text


def test_a_page_can_hold_several_studies(checkout, study):
    other = checkout / "studies" / "more.yml"
    other.write_text(study.file.read_text())
    page = checkout / "docs" / "studies" / "both.md"
    page.write_text("\n".join(f"{mark(s, 'cpu')}\n{END}\n" for s in (study, read_study(other))))
    publish(checkout, study, "cpu", drawn_rows(study))
    text = page.read_text()
    assert text.count("| unmixed |") == 1
    assert [path.name for path in (checkout / "docs/studies").glob("*.md")] == ["both.md"]


def test_what_was_published_is_in_order_and_publishing_again_changes_nothing(published):
    study = study_of(published)
    assert page_problems(published) == []
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    kept = read_rows([published / "studies/results/families_cpu.csv"])
    publish(published, study, "cpu", kept)
    assert {path: path.read_bytes() for path in before} == before
    page = (published / "docs/studies/families.md").read_text()
    for place in re.findall(r"\]\(([^)]+)\)", page):
        assert (published / "docs/studies" / place).is_file(), place
    assert "12 failed (its pre-training failed" in page


def test_what_people_write_around_the_marks_stays(published):
    study = study_of(published)
    page = published / "docs/studies/families.md"
    text = page.read_text().replace("To be written.", "Nothing about 8 GPUs.")
    page.write_text(f"{text}\nAn end.\n")
    publish(published, study, "cpu", drawn_rows(study))
    assert "Nothing about 8 GPUs." in page.read_text()
    assert page.read_text().endswith("\nAn end.\n")
    assert "12 failed" not in page.read_text()


def test_a_number_changed_on_the_page_is_found(published):
    page = published / "docs/studies/families.md"
    text = page.read_text()
    page.write_text(text.replace("20.0 ± 2.7", "24.0 ± 2.7"))
    assert page.read_text() != text
    (problem,) = page_problems(published)
    assert problem.startswith("docs/studies/families.md is not what its results say; type: ")


def test_results_that_changed_make_page_and_figures_stale(published):
    kept = published / "studies/results/families_cpu.csv"
    rows = read_rows([kept])
    assert rows[0].state == "done"
    write_rows([undone(rows[0], "missing"), *rows[1:]], kept)
    page, *figures = page_problems(published)
    assert "families.md is not what its results say" in page
    for name, problem in zip(("accuracy", "paper-ucf101", "paper-hmdb51"), figures, strict=True):
        assert f"families_cpu_{name}.png was not drawn from studies/results" in problem


def test_a_paper_number_that_changed_makes_page_and_figures_stale(published):
    file = published / "studies/families.yml"
    file.write_text(file.read_text().replace("UCF101: 82.5", "UCF101: 80.5"))
    assert len(page_problems(published)) == 4


def test_figures_lost_and_strange_results_are_found(published):
    lost = published / "docs/studies/families_cpu_accuracy.png"
    assert drawn_from(lost) is not None
    lost.unlink()
    (published / "studies/results/other_cpu.csv").write_text("")
    figure, stray = page_problems(published)
    assert "families_cpu_accuracy.png was not drawn" in figure
    assert stray.startswith("studies/results/other_cpu.csv belongs to no declaration")


def test_a_page_without_a_mark_is_found(published):
    study = study_of(published)
    page = published / "docs/studies/families.md"
    page.write_text(page.read_text().replace(mark(study, "cpu"), ""))
    assert f"no page in docs/studies has the line {mark(study, 'cpu')}" in page_problems(published)


def test_nothing_done_keeps_nothing_and_loses_nothing(checkout, study):
    rows = drawn_rows(study)
    missing = [undone(row, "missing") for row in rows]
    (page,) = publish(checkout, study, "cpu", missing)
    assert "Not run yet" in page.read_text()
    assert page_problems(checkout) == []
    publish(checkout, study, "cpu", rows)
    text = page.read_text()
    publish(checkout, study, "cpu", missing)  # from another machine, which has run nothing
    assert page.read_text() == text
    assert read_rows([checkout / "studies/results/families_cpu.csv"]) == rows


def test_two_machines_publish_one_after_the_other(checkout, study):
    rows = drawn_rows(study)
    first = [undone(row, "missing") if row.seed else row for row in rows]
    second = [row if row.seed else undone(row, "missing") for row in rows]
    publish(checkout, study, "cpu", first)
    publish(checkout, study, "cpu", second)
    assert read_rows([checkout / "studies/results/families_cpu.csv"]) == rows
    changed = [dataclasses.replace(rows[0], digest="other")]
    with pytest.raises(StudyError, match="unlike settings"):
        publish(checkout, study, "cpu", changed)
    assert page_problems(checkout) == []


@pytest.fixture
def own_study(checkout):
    """A study that needs no data to be looked at, with one result."""
    file = checkout / "studies" / "own.yml"
    text = FAMILIES.replace("toy_photographs_unmixed", "toy_generated_smoke")
    file.write_text(text.replace("15000", "128"))  # two epochs
    study = read_study(file)
    size = study.size("cpu")
    (cell,) = grid(study, size, checkout / "out", ["scratch"], [0], [0])
    cell.folder.mkdir(parents=True)
    result = dict(FACTS, digest=Recipes(study, size).digest(cell), top1=20, correct=16, videos=80)
    write_json(cell.folder / RESULT, result)
    return study, cell


def test_the_command_writes_table_and_page(own_study, checkout, capsys):
    study, _ = own_study
    options = StudyOptions(str(study.file), checkout / "out", table=True)
    assert run_study(options) == 0
    folder = checkout / "out" / "own" / "cpu"
    table = (folder / "table.md").read_text()
    assert "| scratch | – | – | 20.0 | – | – | – | 20.0 ± – |" in table
    assert table in capsys.readouterr().out
    assert run_study(dataclasses.replace(options, table=False, publish=[])) == 0
    assert "20.0 ± –" in (checkout / "docs/studies/own.md").read_text()
    kept = checkout / "studies/results/own_cpu.csv"
    assert kept.read_bytes() == (folder / "results.csv").read_bytes()
    # and from the table alone, as on a machine that has no runs
    kept.unlink()
    elsewhere = dataclasses.replace(
        options, out=checkout / "empty", table=False, publish=[folder / "results.csv"]
    )
    assert run_study(elsewhere) == 0
    assert kept.read_bytes() == (folder / "results.csv").read_bytes()
    assert page_problems(checkout) == []


def test_tables_of_another_study_are_not_published(own_study, checkout):
    study, _ = own_study
    other = write_rows(drawn_rows(families(checkout)), checkout / "other.csv")
    options = StudyOptions(str(study.file), checkout / "out", publish=[other])
    with pytest.raises(StudyError, match=r"other\.csv holds no row of own at size cpu; --size"):
        run_study(options)
    assert not (checkout / "studies/results").exists()


def test_results_of_other_settings_are_not_tabulated(own_study, checkout):
    study, cell = own_study
    stale = json.loads((cell.folder / RESULT).read_text()) | dict(digest="other")
    write_json(cell.folder / RESULT, stale)
    for wanted in (dict(table=True), dict(publish=[])):
        with pytest.raises(StudyError, match=r"scratch.*holds the result of other settings"):
            run_study(StudyOptions(str(study.file), checkout / "out", **wanted))
    assert not list(checkout.rglob("*.csv"))


def test_a_study_outside_a_checkout_is_not_published(own_study, checkout):
    study, _ = own_study
    file = checkout / "own.yml"
    file.write_text(study.file.read_text())
    with pytest.raises(StudyError, match="lies in no folder studies/ of a checkout"):
        run_study(StudyOptions(str(file), checkout / "out", publish=[]))
