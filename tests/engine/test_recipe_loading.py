"""What a recipe takes from another that lacks it is told; a module's own fault is not its."""

from argparse import Namespace

import pytest

from mmpmg.engine.launch import load_recipe

HEAD = "from mmengine.config import Config\n\nsettings = Config(dict(alpha=1))\n"


@pytest.fixture
def load(tmp_path, monkeypatch):
    (tmp_path / "base.py").write_text("model = dict(type='X')\n")
    monkeypatch.syspath_prepend(tmp_path)
    shared = dict(work_dir=None, cfg_options=None, launcher="none", local_rank=0)

    def run(text):
        (tmp_path / "mine.py").write_text(text)
        return load_recipe(Namespace(config=str(tmp_path / "mine.py"), **shared))

    return run


@pytest.mark.parametrize(
    "text",
    [
        "_base_ = 'base.py'\nmine = _base_.train_dataloader\n",
        "_base_ = 'base.py'\ndef take(): return _base_.train_dataloader\nmine = take()\n",
    ],
    ids=["line", "function"],
)
def test_what_a_base_lacks_is_told(load, text):
    with pytest.raises(ValueError, match=r"mine\.py takes train_dataloader from a recipe that has"):
        load(text)


@pytest.mark.parametrize(
    "slip",
    ["settings.beta\n", "\n\ndef start():\n    return settings.beta\n\n\nstart()\n"],
    ids=["line", "function"],
)
def test_the_fault_of_an_imported_module_keeps_its_traceback(load, slip, tmp_path):
    name = f"part_{len(slip)}"
    (tmp_path / f"{name}.py").write_text(HEAD + slip)
    with pytest.raises(AttributeError, match="'ConfigDict' object has no attribute 'beta'"):
        load(f"custom_imports = dict(imports=[{name!r}])\n")
