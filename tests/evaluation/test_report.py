"""The report page: what stands in it, and how a real browser sees it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from evaluation.headless_chromium import Chromium, find_chromium
from evaluation.work_dirs import training, validation, write_dump, write_run, write_test
from PIL import Image

from mmpmg.evaluation.paper_numbers import PAPER_NUMBERS
from mmpmg.evaluation.report import write_report

ROOT = Path(__file__).resolve().parents[2]
PRETRAINING, FINETUNING = "pmg/vit-b_shaders1k", "finetune/vit-b_ucf101"
browser = pytest.mark.skipif(
    find_chromium() is None, reason="no chromium: apt-get install chromium (.ci/run does)"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A pre-training, three fine-tunings, an empty folder and one that is not there."""
    root = tmp_path_factory.mktemp("runs")
    epochs = range(1, 2001, 50)
    pre = write_run(root / "pre", PRETRAINING, training(epochs, [1 / e for e in epochs]))
    picture = np.random.default_rng(0).integers(0, 256, (900, 2000, 3), dtype=np.uint8)
    for name in ("epoch_9.png", "epoch_10.png"):
        (pre / "reconstructions").mkdir(exist_ok=True)
        Image.fromarray(picture).save(pre / "reconstructions" / name)
    found = {"pre": pre}
    for name, recipe, encoder, accuracy in (
        ("scratch", FINETUNING, None, 0.5),
        ("pmg", FINETUNING, str(pre / "encoder.pth"), 0.875),
        ("<b>5 shots", "finetune/vit-b_ucf101_5-shot", str(pre / "encoder.pth"), 0.25),
    ):
        records = training(range(1, 101), [2.0] * 100) + validation({50: 0.9, 100: accuracy})
        folder = write_run(root / name, recipe, records, changes={"load_from": encoder})
        write_dump(folder / "predictions.pkl", [0, 1, 2, 2], [0, 0, 2, int(accuracy > 0.6)])
        found[name] = folder
    write_test(found["pmg"], 0.912)
    found["empty"] = root / "empty"
    found["empty"].mkdir()
    return found


@pytest.fixture(scope="module")
def page(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = tmp_path_factory.mktemp("page") / "classes.txt"
    names.write_text("jump & run\nsit\nwave\n")
    out = names.with_name("report.html")
    paths = [*map(str, folders.values()), "nowhere"]
    problems = write_report(paths, out, str(names), ["no picture.png"])
    assert [problem.split(":")[0] for problem in problems] == [
        "pre",
        "empty",
        "nowhere",
        "pictures",
    ]
    return out


def test_the_page_stands_alone_and_shows_text_as_text(page: Path) -> None:
    text = page.read_text()
    assert "<b>5 shots" not in text and "&lt;b&gt;5 shots" in text
    assert "jump & run" not in text  # it is drawn; in text it would be escaped
    linked = re.findall(r'(?:src|href|srcset)="([^"]{0,30})', text)
    assert linked and all(link.startswith(("data:", "#")) for link in linked)
    assert "<script" not in text
    assert len(text) < 3_000_000


def test_broken_folders_are_named_and_bad_options_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must end with .html"):
        write_report([], tmp_path / "report.pdf")
    problems = write_report([str(tmp_path)], tmp_path / "new" / "report.html")
    assert problems == [f"{tmp_path.name}: {tmp_path} holds no run: no */vis_data/scalars.json"]
    text = (tmp_path / "new" / "report.html").read_text()
    assert "None of these folders holds a run" in text and "None was drawn" in text


def test_dumps_of_unlike_test_sets_are_explained_in_the_page(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    other = write_run(tmp_path / "other", FINETUNING, validation({100: 0.5}))
    write_dump(other / "predictions.pkl", [0, 1], [0, 1])
    (tmp_path / "bad").mkdir()
    bad = write_run(tmp_path / "bad", FINETUNING, validation({100: 0.5}))
    (bad / "predictions.pkl").write_bytes(b"no pickle")
    write_report([str(folders["pmg"]), str(other), str(bad)], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "has 2 videos" in text and "different test sets" in text
    assert "is no dump of predictions" in text


def test_the_tool_writes_the_page(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    out = tmp_path / "report.html"
    monkeypatch.setattr(sys, "argv", ["report.py", str(folders["scratch"]), "--out", str(out)])
    source = (ROOT / "tools" / "report.py").read_text()
    exec(compile(source, "report.py", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.strip() == f"wrote {out}"
    assert "tools/report.py" in out.read_text()


@browser
def test_a_browser_shows_every_row_and_picture_and_asks_for_nothing(page: Path) -> None:
    with Chromium(1280, 900) as chromium:
        chromium.open(page)
        assert chromium.messages == []
        assert chromium.requests == [page.resolve().as_uri()]
        rows = chromium.evaluate(
            "[...document.querySelectorAll('table.tuned tbody tr')]"
            ".map(r => [...r.cells].map(c => c.textContent.trim()))"
        )
        assert [row[:8] for row in rows] == [
            ["scratch", FINETUNING, "scratch", "100", "90.0", "50.0", "—", "51.4 (Table 10)"],
            ["pmg", FINETUNING, PRETRAINING, "100", "90.0", "87.5", "91.2", "89.6 (Table 7)"],
            ["<b>5 shots", FINETUNING + "_5-shot", PRETRAINING, "100", "90.0", "25.0", "—",
             "—"],
        ]  # fmt: skip
        (pre,) = chromium.evaluate(
            "[...document.querySelectorAll('table.pretrained tbody tr')]"
            ".map(r => [...r.cells].map(c => c.textContent.trim()))"
        )
        assert pre[1:5] == [PRETRAINING, "1951 of 2000", "100,000", "1.0000"]
        numbers = chromium.evaluate(
            "[...document.querySelectorAll('details table.numbers tbody tr')]"
            ".map(r => [...r.cells].map(c => c.textContent.trim()))"
        )
        assert len(numbers) == len(PAPER_NUMBERS)
        ours = {(row[0], row[1]): row[4] for row in numbers}
        assert ours.pop((FINETUNING, PRETRAINING)) == "91.2"
        assert ours.pop((FINETUNING, "from scratch")) == "50.0 (val)"
        assert set(ours.values()) == {"not run"}
        pictures = chromium.evaluate(
            "[...document.images]"
            ".map(i => [i.alt, i.naturalWidth, i.getBoundingClientRect().width])"
        )
        assert all(natural > 0 and shown > 200 for _, natural, shown in pictures)
        shown = {alt for alt, *_ in pictures}
        assert {"Validation accuracy", "Training loss, pre-training", "Accuracy of every class",
                "pre: reconstructions/epoch_10.png"} <= shown  # fmt: skip
        assert not any("epoch_9" in alt for alt in shown)
        problems = chromium.evaluate("document.querySelector('ul.problems').textContent")
        assert "nowhere" in problems and "holds no run" in problems
        pages = chromium.pdf()
        assert pages.startswith(b"%PDF") and len(pages) > 20_000


@browser
@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_it_without_scrolling_sideways(page: Path, dark: bool) -> None:
    with Chromium(390, 844, dark) as chromium:
        chromium.open(page)
        assert chromium.evaluate("document.documentElement.scrollWidth") == 390
        assert chromium.messages == []
        assert all(chromium.evaluate("[...document.images].map(i => i.naturalWidth > 0)"))
        ink, paper = chromium.evaluate(
            "(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))"
        )
        bright = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
        assert (bright[0] > bright[1] + 300) if dark else (bright[1] > bright[0] + 300)
        chosen = chromium.evaluate("document.querySelector('.chart img').currentSrc")
        light = chromium.evaluate("document.querySelector('.chart img').src")
        assert (chosen != light) == dark
