"""The doctor speaks where nothing else of the stack does: in environments made to be broken."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from mmpmg.doctor import findings, machine, report
from mmpmg.doctor.findings import ABSENT, BROKEN, DOUBTFUL, GOOD, Finding, judge
from mmpmg.doctor.probe import Probe, probe
from mmpmg.stack import PARTS, Part, fits, numbers

ROOT = Path(__file__).parents[1]
PART = {part.module: part for part in PARTS}

# ------------------------------------------------------------------------------ an import at a time


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder for modules that the child process finds first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_a_package_that_kills_python_does_not_end_the_visit(fakes: Path) -> None:
    bodies = dict(
        talks="print('to stdout'); __version__ = '1.2'",
        aborts="import os; os.abort()",
        leaves="import sys; sys.exit(3)",
        ends="import os; os._exit(7)",
        raises="raise RuntimeError('operator torchvision::nms\\n does not exist')",
        hangs="import time; time.sleep(60)",
        last="__version__ = '9'",
    )
    for name, body in bodies.items():
        (fakes / f"{name}.py").write_text(body)
    found = probe([*bodies, "is_not_there"], seconds=5)
    assert found["talks"].error == "" and found["talks"].details["version"] == "1.2"
    assert "SIGABRT" in found["aborts"].error
    assert "SystemExit: 3" in found["leaves"].error
    assert "status 7" in found["ends"].error
    assert found["raises"].error == "RuntimeError: operator torchvision::nms does not exist"
    assert "does not end within 5 s" in found["hangs"].error
    assert found["last"].details["version"] == "9"
    assert "No module named 'is_not_there'" in found["is_not_there"].error


# ---------------------------------------------------------------------------------------- judgement

AGAIN = "pip install --force-reinstall --no-deps"
NMS = "RuntimeError: operator torchvision::nms does not exist"


@pytest.mark.parametrize(
    ("module", "owners", "error", "state", "command"),
    [
        ("mmcv", {}, "No module named 'mmcv'", BROKEN, r"^pip install 'mmcv-lite>=2.1,<2.2'$"),
        ("mmcv", {"mmcv": "2.2.0"}, "", BROKEN, "uninstall -y mmcv mmcv-lite && pip install"),
        ("mmcv", {"mmcv": "2.1.0", "mmcv-lite": "2.1.0"}, "", DOUBTFUL, "uninstall"),
        ("mmengine", {"mmengine": "0.10.5"}, "", BROKEN, "pip install -U 'mmengine>=0.10.6"),
        ("mmaction", {"mmaction2": "1.2.0"}, "No module named 'mmcv'", BROKEN, "mmcv-lite"),
        ("torchvision", {"torchvision": "0.29.2"}, NMS, BROKEN, "no-deps torchvision, with"),
        ("timm", {"timm": "1.0.31"}, NMS, BROKEN, "no-deps torchvision, with"),
        ("timm", {}, "No module named 'timm'", ABSENT, "pip install timm"),
        ("cv2", {"opencv-python": "5.0"}, "libGL.so.1: cannot open", BROKEN, "headless"),
        ("cv2", {"opencv-contrib-python-headless": "4.13.0.92"}, "", DOUBTFUL, "headless"),
        ("cv2", {"opencv-contrib-python": "5.0", "opencv-python": "5.1"}, "", DOUBTFUL, "headless"),
        ("cv2", {"opencv-contrib-python": "5.0", "opencv-python": "5.0"}, "", GOOD, ""),
        ("decord", {"decord": "0.6.0"}, "", GOOD, "^$"),
        ("decord", {"decord": "0.6.0"}, "OSError: libav.so", BROKEN, f"^{AGAIN} decord"),
        ("jinja2", {"jinja2": "3.1"}, "ImportError: torn", BROKEN, f"^{AGAIN} 'jinja2>=3'$"),
        ("mmengine", {"mmengine": "0.10.7"}, "torn", BROKEN, f"^{AGAIN} 'mmengine>=0.10.6,<1'$"),
        (
            "safetensors",
            {"safetensors": "0.5"},
            "No module named 'safetensors._rust'",
            BROKEN,
            AGAIN,
        ),
        ("timm", {"timm": "1.0"}, "SyntaxError: torn", BROKEN, f"^{AGAIN} timm$"),
        ("timm", {"timm": "1.0"}, "No module named 'yaml'", BROKEN, "^pip install pyyaml$"),
        ("timm", {"timm": "1.0"}, "No module named 'elsewhere'", BROKEN, "^pip install timm$"),
    ],
)
def test_judgement(module: str, owners: dict, error: str, state: str, command: str) -> None:
    found = judge(PART[module], owners, Probe(error))
    assert found.state == state
    assert re.search(command, found.command), found.command
    assert found.needed == PART[module].needed


def test_a_torch_that_takes_no_arrays_of_this_numpy_is_broken() -> None:
    found = judge(
        PART["torch"], {"torch": "2.3.0"}, Probe("", dict(numpy="not available", cuda=""))
    )
    assert found.state == BROKEN and "numpy<2" in found.command


def test_only_what_is_needed_spoils_the_verdict() -> None:
    optional, needed = Finding("a", state=BROKEN), Finding("b", state=DOUBTFUL, needed=True)
    assert report.Report([optional, needed], {}, "").healthy
    needed.state = BROKEN
    assert not report.Report([optional, needed], {}, "").healthy


def test_little_shared_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ENOUGH", 2**60)
    assert machine.shared_memory().state == DOUBTFUL
    assert "--shm-size" in machine.shared_memory().command


def test_bounds_are_those_of_the_requirements() -> None:
    """What the doctor takes for good, pip takes too, and the other way round."""
    for line in (ROOT / "requirements/runtime.txt").read_text().splitlines():
        match = re.match(r"([\w-]+)(?:>=([\d.]+))?(?:,<([\d.]+))?$", line)
        if match is None:
            continue
        (part,) = [part for part in PARTS if match[1] in (*part.owners, part.module)]
        assert part.needed
        assert part.lowest == numbers(match[2] or "0")
        assert part.below == (numbers(match[3]) if match[3] else None)
    assert fits(Part("x", "", (), (2, 1), (3,)), "2.1.0+cu121")
    assert not fits(Part("x", "", (), (2, 1), (3,)), "3.0.0")
    assert not fits(Part("x", "", (), (2, 1), None), "2.0.1")


# ------------------------------------------------------------------------------ whole environments


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that holds mmpmg and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "mmpmg").symlink_to(ROOT / "mmpmg")
    return folder


def visit(environment: Path, packages: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Ask the doctor in ``environment``, with made-up packages on its path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [environment / "bin/python", "-m", "mmpmg.doctor", *options],
        env={**kept, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=packages,
        capture_output=True,
        text=True,
    )


def install(packages: Path, distribution: str, version: str, module: str, body: str = "") -> None:
    """Write a package with the metadata that pip would leave."""
    info = packages / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    )
    (packages / module).mkdir(exist_ok=True)
    (packages / module / "__init__.py").write_text(body)


def test_an_empty_environment(bare: Path, tmp_path: Path) -> None:
    done = visit(bare, tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr + done.stdout
    assert "Something needed is BROKEN" in done.stdout
    for part in PARTS:
        assert part.module in done.stdout
    assert "type: pip install 'mmcv-lite>=2.1,<2.2'" in done.stdout
    assert "type: pip install -U 'mmengine>=0.10.6,<1'" in done.stdout


def test_an_environment_with_everything_wrong(bare: Path, tmp_path: Path) -> None:
    install(tmp_path, "mmcv", "2.2.0", "mmcv")
    install(tmp_path, "mmcv-lite", "2.1.0", "mmcv")
    install(tmp_path, "mmengine", "0.10.7", "mmengine", "import os; os.abort()")
    install(tmp_path, "torchvision", "0.29.2", "torchvision", f"raise RuntimeError({NMS!r})")
    install(tmp_path, "timm", "1.0.31", "timm", "import torchvision")
    install(tmp_path, "pillow", "12.0", "PIL")
    done = visit(bare, tmp_path, "--json")
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    found = {line["name"]: line for line in said["findings"]}
    assert not said["healthy"]
    assert found["PIL"]["state"] == GOOD
    assert found["mmcv"]["state"] == BROKEN and "2.2.0" in found["mmcv"]["note"]
    assert found["mmcv"]["version"] == "2.2.0, 2.1.0 (mmcv-lite)"
    assert "SIGABRT" in found["mmengine"]["note"]
    assert found["torchvision"]["state"] == found["timm"]["state"] == BROKEN
    assert found["timm"]["command"] == found["torchvision"]["command"]
    assert found["mmpmg"]["state"] == BROKEN
    assert found["decord"]["state"] == ABSENT


def test_other_modules_of_the_package_still_need_the_stack(bare: Path, tmp_path: Path) -> None:
    """Only the doctor is let in without it, and the error sends the user there."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    for words in (["-m", "mmpmg.command"], ["-c", "import mmpmg.doctor"]):
        done = subprocess.run(
            [bare / "bin/python", *words], env=kept, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode != 0 and "python -m mmpmg.doctor" in done.stderr


def test_python_itself_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings.judge_python().state == GOOD
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    assert findings.judge_python().state == BROKEN
