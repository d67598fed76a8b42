"""Run the core tests under the oldest and the newest packages that mmpmg supports.

Usage: ``python requirements/versions.py oldest newest [--folder DIR]``, or ``make versions``. An
environment takes some 5 GB; one at a time, and removed again unless ``--folder`` says where to keep
them. Prints rows for the table in docs/installing.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Interpreter, then what is installed, one call of pip each.
# "oldest": the lower bounds of runtime.txt, and of the rest what was published beside them.
ENVIRONMENTS: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "oldest": (
        "python3.10",
        (
            ("torch==2.3.0", "torchvision==0.18.0", "numpy==1.26.4"),
            (
                "numpy==1.26.4", "matplotlib==3.6.3", "pillow==9.1.1", "jinja2==3.0.3",
                "safetensors==0.4.0", "decord==0.6.0", "importlib_metadata", "einops", "scipy<1.12",
                "addict", "pyyaml", "rich", "termcolor", "yapf", "packaging", "setuptools<70",
                "pytest", "hypothesis", "huggingface_hub<1",
            ),
            # without what they ask for: OpenCV builds that need libGL, and NumPy 2
            (
                "--no-deps", "mmengine==0.10.6", "mmcv-lite==2.1.0", "mmaction2==1.2.0",
                "timm==1.0.3", "opencv-contrib-python-headless==5.0.0.93",
            ),
        ),
    ),
    "newest": ("python3.12", (("--no-deps", "-r", "requirements/constraints.txt"),)),
}  # fmt: skip
# What depends on versions: mending, loading of files, rendering, models, gradients, a whole run.
TESTS = (
    "tests/test_compat.py",
    "tests/test_safe_globals.py",
    "tests/test_hub.py",
    "tests/test_doctor.py",
    "tests/motion/test_motion.py",
    "tests/motion/test_render_opencv.py",
    "tests/motion/test_render_torch.py",
    "tests/datasets/test_image_to_pseudo_video.py",
    "tests/datasets/transforms/test_pmg.py",
    "tests/models/backbones/test_masked_vit.py",
    "tests/models/data_preprocessors/test_pmg_preprocessor.py",
    "tests/models/pretrainers/test_masked_video.py",
    "tests/engine/test_optim_wrapper.py",
    "tests/integration/test_resume.py",
)
SHOW = (
    "import sys, cv2, numpy, torch; print('|'.join(('%d.%d' % sys.version_info[:2], "
    "torch.__version__, numpy.__version__, cv2.__version__)))"
)


def check_python(name: str) -> None:
    """End with a sentence where an environment's Python is not there, before anything is built.

    Args:
        name: ``"oldest"`` or ``"newest"``.
    """
    python = ENVIRONMENTS[name][0]
    try:  # pyenv puts a command for every version on the path, which fails for those not chosen
        ran = subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True)
        said = ran.stderr.decode(errors="replace").strip() if ran.returncode else None
    except OSError as error:
        said = str(error)
    if said is not None:
        sys.exit(
            f"{name} needs {python} with its venv module, on the PATH (sudo apt-get install -y "
            f"{python}-venv, or PATH=/where/it/is/bin:$PATH make versions WHICH={name}): {said}"
        )


def build(name: str, folder: Path) -> Path:
    """Build an environment, unless it is there.

    Args:
        name: ``"oldest"`` or ``"newest"``.
        folder: Where it goes.

    Returns:
        Its interpreter.
    """
    python, steps = ENVIRONMENTS[name]
    interpreter, done = folder / "bin" / "python", folder / "finished"
    if not done.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
        for step in steps:
            print(f"{name}: pip install {' '.join(step)}", file=sys.stderr, flush=True)
            install = [str(interpreter), "-m", "pip", "install", "-q", "--no-compile", *step]
            subprocess.run(install, check=True, cwd=ROOT)
        done.touch()
    return interpreter


def test(name: str, interpreter: Path) -> tuple[str, int]:
    """Run the core tests.

    Args:
        name: Of the environment.
        interpreter: Of the environment.

    Returns:
        A row of the table, and pytest's exit status.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    show = [str(interpreter), "-c", SHOW]
    versions = subprocess.check_output(show, text=True, env=environment).strip().split("|")
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    tests = subprocess.Popen(
        [interpreter, *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    last = ""
    assert tests.stdout is not None
    for line in tests.stdout:
        print(line, end="", file=sys.stderr, flush=True)
        last = line.strip() or last
    status = tests.wait()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    result = last.strip("= ").rpartition(" in ")[0] or last
    today = datetime.now(timezone.utc).date().isoformat()
    return f"| {' | '.join((name, *versions, result, today, commit))} |", status


def main() -> None:
    """Build and test the environments on the command line, print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("names", nargs="*", choices=[*ENVIRONMENTS, []], help="default: all")
    parser.add_argument(
        "--folder", type=Path, help="keep the environments here, or use those there"
    )
    options = parser.parse_args()
    rows, worst = [], 0
    names = options.names or list(ENVIRONMENTS)
    for name in names:
        check_python(name)
    for name in names:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) if options.folder is None else options.folder / name
            row, status = test(name, build(name, folder.absolute()))
        rows.append(row)
        worst = max(worst, status)
    print("\n".join(rows))
    sys.exit(worst)


if __name__ == "__main__":
    main()
