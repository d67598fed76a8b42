"""sdist, wheel from the sdist, a new environment: it trains, and touches nothing of the checkout.

The environment has the packages of this one as links, one by one, and need not be downloaded; mmpmg
is not among them and comes from the wheel. Each Python started in it notes what it opens.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytest.importorskip("build")
ROOT = Path(__file__).resolve().parents[1]
TOY = "mmpmg::pmg/vit-toy_generated_smoke.py"

# Runs in every Python of the environment: notes each file of the checkout that it opens.
WATCH = """
import os, sys

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        if path.startswith({root!r} + os.sep) and not path.startswith({packages!r} + os.sep):
            # not open(), which would come here again for ever
            handle = os.open({note!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(handle, (path + "\\n").encode())
            os.close(handle)

sys.addaudithook(watch)
"""


def shell(words: list, cwd: Path, **more: str) -> str:
    """Run a command that knows nothing of this one's Python, and return what it prints."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**kept, "OMP_NUM_THREADS": "1", **more},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{words}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


class Environment:
    """A new virtual environment with links to the packages of this one, except mmpmg."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self.bin, self.note = folder / "bin", folder / "opened.txt"
        (self.site,) = folder.glob("lib/python3*/site-packages")
        for packages in site.getsitepackages():
            for path in Path(packages).iterdir():
                ours = path.name.lower().startswith(("mmpmg", "__editable__", "sitecustomize"))
                if not ours and path.suffix != ".pth" and not (self.site / path.name).exists():
                    (self.site / path.name).symlink_to(path)
        watch = WATCH.format(root=str(ROOT), packages=sys.prefix, note=str(self.note))
        (self.site / "sitecustomize.py").write_text(watch)

    def run(self, *words: object, cwd: Path) -> str:
        """Run a command of the environment."""
        return shell([self.bin / str(words[0]), *words[1:]], cwd, PYTHONDONTWRITEBYTECODE="1")

    def opened(self) -> list[str]:
        """Return the files of the checkout that were opened so far."""
        return self.note.read_text().splitlines() if self.note.exists() else []


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist from a copy of the sources, and the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("clean")
    ignored = shutil.ignore_patterns(
        ".*", "work_dirs", "data", "build", "dist", "*.egg-info", "__pycache__", "tests", "docs"
    )
    shutil.copytree(ROOT, folder / "source", ignore=ignored)
    command = [sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check"]
    shell([*command, "--outdir", folder / "dist", folder / "source"], folder)
    shutil.rmtree(folder / "source")
    return folder / "dist"


@pytest.fixture(scope="module")
def clean(distributions: Path) -> Environment:
    """Install the wheel."""
    environment = Environment(distributions.parent / "environment")
    (wheel,) = distributions.glob("mmpmg-*.whl")
    words = ("-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-index")
    environment.run("python", *words, "--no-compile", wheel, cwd=distributions)
    return environment


@pytest.fixture(scope="module")
def trained(clean: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a recipe of a user's own, which inherits one of the wheel's, with the command."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "mine.py").write_text(
        f'_base_ = "{TOY}"\n'
        "train_dataloader = dict(batch_size=4, dataset=dict(num_images=8))\n"
        "train_cfg = dict(max_epochs=1)\n"
        "param_scheduler = None\n"
        "default_hooks = dict(logger=dict(interval=1))\n"
    )
    words = ("train", "mine.py", "--work-dir", "run", "--cfg-options")
    clean.run("mmpmg", *words, "train_dataloader.num_workers=0", cwd=folder)
    return folder / "run"


@pytest.mark.slow
def test_a_users_recipe_trains(trained: Path) -> None:
    (scalars,) = trained.rglob("scalars.json")
    losses = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert [line["step"] for line in losses] == [1, 2]
    assert all(0.2 < line["loss"] < 5 for line in losses)  # normalised pixels: 1 is the mean guess
    assert (trained / "epoch_1.pth").is_file() and (trained / "encoder.pth").is_file()


HUB = """
import json, sys
import mmpmg
import torch
from pathlib import Path
from mmengine.hub import get_config, get_model

weights = Path(sys.argv[1])
mim = Path(mmpmg.__file__).parent / ".mim"
loader = get_config("mmpmg::pmg/vit-b_shaders1k.py").train_dataloader
assert loader.dataset.type == "ImageToPseudoVideo"
assert (mim / "tools/train.py").is_file() and (mim / "model-index.yml").is_file()
blank = get_model({toy!r}).state_dict()

(mim / "model-index.yml").write_text("Import: [configs/toy.yml]")
(mim / "configs/toy.yml").write_text(json.dumps(dict(Models=[dict(
    Name="toy", Config="configs/" + {toy!r}.partition("::")[2], Weights=str(weights))])))
model = get_model({toy!r}, pretrained=True)
saved = torch.load(weights)["state_dict"]
state = model.state_dict()
assert saved.keys() == state.keys()
assert all(torch.equal(saved[name], state[name]) for name in saved)
assert not all(torch.equal(saved[name], blank[name]) for name in saved)
files = [getattr(m, "__file__", None) or "" for m in list(sys.modules.values())]
print(json.dumps(dict(package=mmpmg.__file__, path=sys.path, files=files)))
"""


@pytest.mark.slow
def test_the_hub_finds_recipes_models_and_weights(clean: Environment, trained: Path) -> None:
    (trained / "hub.py").write_text(HUB.format(toy=TOY))
    said = json.loads(
        clean.run("python", "hub.py", trained / "epoch_1.pth", cwd=trained).splitlines()[-1]
    )
    assert Path(said["package"]) == clean.site / "mmpmg/__init__.py"
    for path in [*said["path"], *said["files"]]:
        inside = Path(path).is_relative_to(ROOT)
        assert not inside or Path(path).is_relative_to(sys.prefix), path


@pytest.mark.slow
def test_the_doctor_finds_the_wheel(clean: Environment, tmp_path: Path) -> None:
    said = json.loads(clean.run("python", "-m", "mmpmg.doctor", "--json", cwd=tmp_path))
    found = {line["name"]: line for line in said["findings"]}
    assert said["healthy"]
    assert found["mmpmg"]["note"] == str(clean.site / "mmpmg")
    assert found["recipes"]["note"] == str(clean.site / "mmpmg/.mim/configs")
    assert said["commit"].startswith("unknown")  # of the wheel, not of where it was built


@pytest.mark.slow
def test_nothing_of_the_checkout_was_opened(clean: Environment, trained: Path) -> None:
    assert clean.opened() == []
    clean.run("python", "-c", f"open({str(ROOT / 'setup.py')!r})", cwd=trained)
    assert clean.opened() == [str(ROOT / "setup.py")]  # which would have been seen
    clean.note.unlink()
