"""Pre-training, two fine-tunings and their tests by the real tools; one report of them."""

from __future__ import annotations

import contextlib
import io
import json
import re

import pytest
from evaluation.headless_chromium import Chromium, find_chromium
from integration.forked_tools import fork_tool
from integration.tiny_runs import finetuning, options_of, pretraining

from mmpmg.engine.training import train
from mmpmg.evaluation.report import write_report
from mmpmg.evaluation.run_log import read_runs
from mmpmg.version import __version__

PRETRAINING, FINETUNING = "pmg/vit-toy_photographs.py", "finetune/vit-toy_gestures.py"


@pytest.fixture(scope="module")
def work_dirs(tmp_path_factory, pictures, videos):
    """Return the work dirs by name: "pre", "scratch", "pmg"."""
    root = tmp_path_factory.mktemp("runs")
    drawing = {"default_hooks.reconstruction.type": "ReconstructionHook",
               "default_hooks.reconstruction.num_clips": 1}  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        train(options_of(PRETRAINING, root / "pre", pretraining(pictures, **drawing)))
        for name in ("scratch", "pmg"):
            changes = finetuning(videos, root / "pre" / "encoder.pth")
            if name == "scratch":
                changes["load_from"] = None
            train(options_of(FINETUNING, root / name, changes))
    for name in ("scratch", "pmg"):
        run = fork_tool(
            "test.py", FINETUNING, root / name / "epoch_2.pth", "--work-dir", root / name,
            "--dump", root / name / "predictions.pkl", changes=finetuning(videos, "unused"),
        )  # fmt: skip
        assert run.status == 0, run.output[-3000:]
    return {name: root / name for name in ("pre", "scratch", "pmg")}


@pytest.mark.slow
def test_the_logs_of_mmengine_are_read_right(work_dirs):
    pre, scratch, pmg = read_runs(list(work_dirs.values()))
    assert pre.recipe == "pmg/vit-toy_photographs" and pre.is_pretraining
    assert [run.loaded for run in (scratch, pmg)] == ["scratch", "pmg/vit-toy_photographs"]
    assert [run.problems for run in (pre, scratch, pmg)] == [(), (), ()]
    for run in (scratch, pmg):
        assert run.recipe == "finetune/vit-toy_gestures"
        (log,) = [log for log in run.folder.glob("*/*.log") if "Epoch(val)" in log.read_text()]
        logged = re.findall(r"Epoch\(val\).*acc/top1: ([\d.]+)", log.read_text())
        assert run.accuracy[0] == [1, 2]
        assert run.accuracy[1] == pytest.approx([100 * float(value) for value in logged], abs=0.01)
        assert run.loss[0][-1] == 2 and len(run.loss[1]) == 4  # two epochs of two batches
        # The same weights on the same videos: the test agrees with the last validation.
        assert run.tested == pytest.approx(run.last)
        assert {"Python", "PyTorch", "MMEngine"} <= set(run.environment)
        # Not the commit itself: somebody may commit while the test runs.
        assert re.fullmatch(rf"{__version__}, commit (\w+|unknown).*", run.environment["mmpmg"])


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no chromium: apt-get install chromium")
def test_a_browser_shows_the_report_of_these_runs(work_dirs, tmp_path):
    page = tmp_path / "report.html"
    assert write_report([str(folder) for folder in work_dirs.values()], page) == []
    with Chromium(1280, 900) as chromium:
        chromium.open(page)
        assert chromium.messages == [] and len(chromium.requests) == 1
        pictures = dict(chromium.evaluate("[...document.images].map(i => [i.alt, i.naturalWidth])"))
        assert set(pictures) == {
            "Validation accuracy", "Training loss, fine-tuning", "Training loss, pre-training",
            "pre: reconstructions/epoch_1.png", "Accuracy of every class",
        }  # fmt: skip
        assert min(pictures.values()) > 0
        table = chromium.evaluate(
            "atob(document.querySelector('a[download]').href.split(',')[1]).split('\\n')"
        )
        assert table[0] == "class,videos,scratch,pmg,pmg minus scratch"
        overall = table[-2].split(",")
        tested = [run.tested for run in read_runs(list(work_dirs.values())[1:])]
        assert [float(value) for value in overall[2:4]] == pytest.approx(tested, abs=0.01)
        differences = chromium.evaluate("document.querySelector('#changes ~ .wide').textContent")
        assert json.dumps(differences).count("photographs") == 1
