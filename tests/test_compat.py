from __future__ import annotations

import copy
import io
import os
import pickle
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import Runner

import mmpmg
from mmpmg import compat

# ------------------------------------------------------------------- a real run of MMAction2's own


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write four clips of four random frames, two classes."""
    root, rng = tmp_path_factory.mktemp("frames"), np.random.default_rng(0)
    lines = []
    for clip in range(4):
        (root / f"clip{clip}").mkdir()
        for frame in range(1, 5):
            image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            cv2.imwrite(str(root / f"clip{clip}" / f"img_{frame:05}.jpg"), image)
        lines.append(f"clip{clip} 4 {clip % 2}")
    (root / "list.txt").write_text("\n".join(lines))
    return root


def recipe(frames: Path, work_dir: Path, epochs: int, **overrides: Any) -> dict:
    loader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=dict(
            type="RawframeDataset",
            ann_file=str(frames / "list.txt"),
            data_prefix=dict(img=str(frames)),
            pipeline=[
                dict(type="SampleFrames", clip_len=4, frame_interval=1, num_clips=1),
                dict(type="RawFrameDecode"),
                dict(type="Resize", scale=(32, 32), keep_ratio=False),
                dict(type="FormatShape", input_format="NCTHW"),
                dict(type="PackActionInputs"),
            ],
        ),
    )
    return dict(
        model=dict(
            type="Recognizer3D",
            backbone=dict(
                type="VisionTransformer",
                img_size=32,
                embed_dims=24,
                depth=1,
                num_heads=2,
                num_frames=4,
            ),
            cls_head=dict(
                type="TimeSformerHead", num_classes=2, in_channels=24, average_clips="prob"
            ),
            data_preprocessor=dict(
                type="ActionDataPreprocessor",
                mean=[127.5] * 3,
                std=[127.5] * 3,
                format_shape="NCTHW",
            ),
        ),
        work_dir=str(work_dir),
        train_dataloader=loader,
        val_dataloader=copy.deepcopy(loader),
        train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=epochs, val_interval=1),
        val_cfg=dict(type="ValLoop"),
        val_evaluator=dict(type="AccMetric"),
        optim_wrapper=dict(optimizer=dict(type="AdamW", lr=0.01)),
        param_scheduler=[dict(type="CosineAnnealingLR", T_max=2, by_epoch=True)],
        default_hooks=dict(
            checkpoint=dict(type="CheckpointHook", interval=1),
            logger=dict(type="LoggerHook", interval=1),
        ),
        visualizer=dict(type="ActionVisualizer", vis_backends=[dict(type="LocalVisBackend")]),
        default_scope="mmaction",
        log_level="WARNING",
        randomness=dict(seed=0),
        experiment_name=f"{work_dir.name}-{epochs}",
        **overrides,
    )


@pytest.fixture(scope="module")
def first_run(frames: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """Train two epochs; return the work directory and the warnings that it gave."""
    work_dir = tmp_path_factory.mktemp("run")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Runner.from_cfg(_config(recipe(frames, work_dir, 2))).train()
    return work_dir, caught


def _config(fields: dict) -> Any:
    from mmengine.config import Config

    return Config(fields)


def test_checkpoint_holds_what_was_logged(first_run: tuple[Path, list]) -> None:
    checkpoint = torch.load(first_run[0] / "epoch_1.pth")
    loss = checkpoint["message_hub"]["log_scalars"]["train/loss"]
    assert type(loss) is HistoryBuffer
    assert loss.data[0].shape == (2,)
    assert np.isfinite(loss.data[0]).all()
    assert loss.mean() == loss.statistics("mean") == pytest.approx(loss.data[0].mean())


def test_resume_equals_an_uninterrupted_run(
    first_run: tuple[Path, list], frames: Path, tmp_path: Path
) -> None:
    resumed = Runner.from_cfg(
        _config(
            recipe(
                frames,
                tmp_path / "resumed",
                2,
                load_from=str(first_run[0] / "epoch_1.pth"),
                resume=True,
            )
        )
    )
    resumed.train()
    assert resumed.epoch == 2
    assert len(resumed.message_hub.get_scalar("train/loss").data[0]) == 4
    for name, value in torch.load(first_run[0] / "epoch_2.pth")["state_dict"].items():
        torch.testing.assert_close(resumed.model.state_dict()[name], value, msg=name)


def test_load_from_takes_the_weights(
    first_run: tuple[Path, list], frames: Path, tmp_path: Path
) -> None:
    path = first_run[0] / "epoch_1.pth"
    runner = Runner.from_cfg(_config(recipe(frames, tmp_path / "val", 1, load_from=str(path))))
    metrics = runner.val()
    assert 0.0 <= metrics["acc/top1"] <= 1.0
    for name, value in torch.load(path)["state_dict"].items():
        torch.testing.assert_close(runner.model.state_dict()[name], value, rtol=0, atol=0)


def test_a_checkpoint_written_after_a_resume_needs_no_mmpmg(first_run: tuple[Path, list]) -> None:
    checkpoint = torch.load(first_run[0] / "epoch_1.pth")
    assert b"mmpmg" not in pickle.dumps(checkpoint["message_hub"])


def test_training_gives_no_frightening_warning(first_run: tuple[Path, list]) -> None:
    ours = [str(w.message) for w in first_run[1] if "mmpmg" in str(w.filename)]
    assert ours == []


# ------------------------------------------------------------------------ files that are not honest


class Call:
    """Pickles as: call ``function`` with ``args``, then set ``state``."""

    def __init__(self, function: Any, *args: Any, state: Any = None) -> None:
        self.parts = (function, args) if state is None else (function, args, state)

    def __call__(self) -> None:
        """Pickle wants the first of its parts callable, also where that is a Call itself."""

    def __reduce__(self) -> Any:
        return self.parts


def saved(content: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    return file


def archive(pickled: bytes) -> io.BytesIO:
    """Return a torch file around a pickle that no honest pickler writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(saved({})) as honest, zipfile.ZipFile(out, "w") as crafted:
        for name in honest.namelist():
            crafted.writestr(name, pickled if name.endswith("data.pkl") else honest.read(name))
    out.seek(0)
    return out


def attribute_chain(command: str) -> Call:
    """From a listed class to ``os.system`` by attributes alone."""
    init = Call(getattr, HistoryBuffer, "__init__")
    get = Call(getattr, Call(getattr, init, "__globals__"), "get")
    modules = Call(getattr, Call(getattr, Call(get, "warnings"), "sys"), "modules")
    return Call(Call(getattr, Call(Call(getattr, modules, "get"), "os"), "system"), command)


def forged_dtype(name: str) -> Call:
    """A dtype whose bytes are object pointers, while its flags deny that."""
    fields = {"a": (np.dtype("O"), 0)}
    return Call(np.dtype, name, False, True, state=(3, "|", None, ("a",), fields, 8, 1, 0))


def forged_array(dtype: Any, data: Any, kind: Any = np.ndarray, shape: Any = (1,)) -> Call:
    reconstruct = np.zeros(1).__reduce__()[0]
    return Call(reconstruct, kind, (0,), b"b", state=(1, shape, dtype, False, data))


_HISTORY = "mmengine.logging.history_buffer"
DISHONEST = {
    "os.system": lambda cmd: saved(Call(os.system, cmd)),
    "eval": lambda cmd: saved(Call(eval, f"__import__('os').system({cmd!r})")),
    "exec": lambda cmd: saved(Call(exec, f"import os; os.system({cmd!r})")),
    "getattr to __globals__": lambda cmd: saved(attribute_chain(cmd)),
    "getattr of an init": lambda cmd: saved(Call(getattr, HistoryBuffer, "__init__")),
    "getattr of a mangled name": lambda cmd: saved(
        Call(getattr, HistoryBuffer, "mean.__globals__")
    ),
    "getattr of an array": lambda cmd: saved(Call(getattr, np.zeros(2), "tofile")),
    "getattr of a tensor": lambda cmd: saved(Call(getattr, torch.zeros(2), "apply_")),
    "getattr called on a buffer": lambda cmd: saved(Call(getattr, HistoryBuffer([1], [1]), "mean")),
    "method called": lambda cmd: saved(Call(Call(getattr, HistoryBuffer, "mean"), 1)),
    "dotted global": lambda cmd: archive(
        f"\x80\x02c{_HISTORY}\nHistoryBuffer.__init__.__globals__\n.".encode("latin1")
    ),
    "dotted global through numpy": lambda cmd: archive(b"\x80\x02cnumpy\nf2py.os.system\n."),
    "dtype forged from a record": lambda cmd: saved(forged_array(forged_dtype("V8"), b"\x41" * 8)),
    "dtype forged from a float": lambda cmd: saved(forged_array(forged_dtype("f8"), b"\x41" * 8)),
    "object array": lambda cmd: saved(np.array([print, "x"], dtype=object)),
    "object dtype": lambda cmd: saved(np.dtype("O")),
    "dtype by expression": lambda cmd: saved(Call(np.dtype, "O,O", False, True)),
    "array of another class": lambda cmd: saved(
        forged_array(np.dtype("f8"), b"\0" * 8, kind=HistoryBuffer)
    ),
    "array with a file object's shape": lambda cmd: saved(
        forged_array(np.dtype("f8"), b"\0" * 8, shape=(-1,))
    ),
    "array shorter than its shape": lambda cmd: saved(
        forged_array(np.dtype("f8"), b"\0" * 8, shape=(2**40,))
    ),
    "scalar longer than its type": lambda cmd: saved(
        Call(np.float64(1).__reduce__()[0], np.dtype("f8"), b"\0" * 80)
    ),
    "array from a file": lambda cmd: saved(Call(np.fromfile, "/etc/hostname", "u1")),
    "numpy.load": lambda cmd: saved(Call(np.load, "x.npy", None, True)),
    "buffer without its fields": lambda cmd: saved(Call(HistoryBuffer, state={"max_length": 1})),
    "buffer of strings": lambda cmd: saved(
        Call(
            HistoryBuffer,
            state={"_log_history": ["a"], "_count_history": ["b"], "max_length": 1},
        )
    ),
}
RUNS_CODE = ["os.system", "eval", "exec", "getattr to __globals__"]


@pytest.mark.parametrize("trick", DISHONEST)
def test_dishonest_files_are_refused(trick: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    file = DISHONEST[trick](f"touch '{marker}'")
    with pytest.raises((pickle.UnpicklingError, ValueError, TypeError)):
        torch.load(file)
    assert not marker.exists()


@pytest.mark.parametrize("trick", RUNS_CODE)
def test_those_files_do_run_code_where_nothing_guards(trick: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    torch.load(DISHONEST[trick](f"touch '{marker}'"), weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize("trick", RUNS_CODE)
def test_downloaded_files_are_refused_too(trick: str, tmp_path: Path) -> None:
    """The cache already holds the file, so that nothing is downloaded."""
    from mmengine.runner.checkpoint import CheckpointLoader

    marker, address = tmp_path / "ran", "https://host.invalid/weights.pth"
    (tmp_path / "weights.pth").write_bytes(DISHONEST[trick](f"touch '{marker}'").getvalue())
    load = CheckpointLoader._get_checkpoint_loader(address)
    with pytest.raises(pickle.UnpicklingError):
        load(address, model_dir=str(tmp_path))
    assert not marker.exists()
    (tmp_path / "weights.pth").write_bytes(saved({"weight": torch.ones(1)}).getvalue())
    assert load(address, model_dir=str(tmp_path))["weight"] == 1


def test_a_file_cannot_change_the_statistics_of_every_buffer() -> None:
    before = dict(HistoryBuffer._statistics_methods)
    honest = {
        "_log_history": np.ones(2),
        "_count_history": np.ones(2),
        "max_length": 10,
        "statistics_methods": {"mean": HistoryBuffer.max, "new": HistoryBuffer.min},
        "update": 3,
    }
    loaded = torch.load(saved(Call(HistoryBuffer, state=honest)))
    assert HistoryBuffer._statistics_methods == before
    assert callable(loaded.update)


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "<i8", ">i4", "f2", "f4", "<f8", ">f8", "c16"])
def test_arrays_come_back(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for shape in [(), (0, 3), (5,), (2, 3, 4)]:
        for order in "CF":
            array = np.array(rng.integers(0, 2, shape), dtype=dtype, order=order)
            loaded = torch.load(saved(array))
            np.testing.assert_array_equal(loaded, array)
            # NumPy's own unpickling turns foreign byte order into the machine's, and so do we
            assert loaded.dtype == pickle.loads(pickle.dumps(array, protocol=2)).dtype
            again = pickle.loads(pickle.dumps(loaded))
            assert type(again) is np.ndarray
            np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize("value", [np.float64(0.1), np.float32(-2), np.int64(7), np.bool_(True)])
def test_scalars_come_back(value: np.generic) -> None:
    loaded = torch.load(saved(value))
    assert type(loaded) is type(value)
    assert loaded == value


def test_a_resumed_buffer_goes_on() -> None:
    hub = MessageHub.get_instance("a_resumed_buffer_goes_on")
    for value in (1.0, 3.0):
        hub.update_scalar("loss", value)
    loaded = torch.load(saved(hub.state_dict()))
    hub.load_state_dict(loaded)
    hub.update_scalar("loss", 5.0)
    assert hub.get_scalar("loss").mean() == 3.0
    assert hub.get_scalar("loss").current() == 5.0


# ------------------------------------------------------------------------- the rest of the mending


def test_applying_twice_changes_nothing() -> None:
    from mmengine.runner import checkpoint, runner
    from mmengine.utils import package_utils

    def state() -> list:
        return [
            sys.modules.get("mmaction.models.localizers.drn"),
            package_utils.is_installed,
            package_utils.get_installed_path,
            runner.collect_env,
            checkpoint.load_url,
            len(torch.serialization.get_safe_globals()),
        ]

    before = state()
    compat.apply()
    assert state() == before


def test_healthy_mmaction2_keeps_its_drn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = "mmaction.models.localizers.drn"
    (tmp_path / "models/localizers/drn").mkdir(parents=True)
    for module in (name, f"{name}.drn"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(compat, "_package_dir", lambda package: tmp_path)
    compat._stand_in_for_drn()
    assert name not in sys.modules


def test_old_torch_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 2.6 torch has no list to add to, or one that takes no names."""
    monkeypatch.setattr(torch, "__version__", "2.5.1+cu121")
    monkeypatch.setattr(torch.serialization, "add_safe_globals", lambda entries: 1 / 0)
    compat.apply()


@pytest.mark.parametrize(
    ("kind", "words"),
    [("DRN", "pip install git"), ("VindLURetrieval", "pip install 'transformers<5'")],
)
def test_what_is_missing_says_so_when_built(kind: str, words: str) -> None:
    import mmaction.models  # noqa: F401
    from mmaction.registry import MODELS

    if kind == "VindLURetrieval" and (compat._version("transformers") or (0,)) < (5,):
        pytest.skip("healthy with this transformers")
    with pytest.raises(ImportError, match=words):
        MODELS.build(dict(type=kind, any_key=1))


def test_recipes_of_mmaction2_are_found() -> None:
    from mmengine.hub import get_config

    name = "tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb.py"
    assert get_config(f"mmaction::recognition/tsn/{name}").model.type == "Recognizer2D"


def _installed(monkeypatch: pytest.MonkeyPatch, **versions: str | None) -> None:
    """Pretend that these versions are installed, None for not at all."""
    real = compat.metadata.version

    def version(name: str) -> str:
        if name not in versions:
            return real(name)
        found = versions[name]
        if found is None:
            raise compat.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(compat.metadata, "version", version)


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({"mmcv": "2.2.0", "mmcv-lite": None}, "mmcv 2.2.0 is refused.*pip uninstall -y mmcv "),
        ({"mmcv": None, "mmcv-lite": "2.2.0"}, "pip uninstall -y mmcv-lite && pip install"),
        ({"mmengine": "0.10.5"}, "mmengine 0.10.5.*pip install -U 'mmengine>=0.10.6,<1'"),
    ],
)
def test_versions_that_cannot_work(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, str | None], words: str
) -> None:
    _installed(monkeypatch, **versions)
    with pytest.raises(ImportError, match=words):
        compat.apply()


def test_two_builds_of_mmcv_give_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, **{"mmcv": "2.1.0", "mmcv-lite": "2.1.0"})
    with pytest.warns(UserWarning, match="pip uninstall -y mmcv mmcv-lite"):
        compat.apply()


@pytest.mark.parametrize("missing", ["mmcv", "mmengine", "mmaction", "importlib_metadata"])
def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    real = compat.find_spec
    monkeypatch.setattr(compat, "find_spec", lambda n: None if n == missing else real(n))
    with pytest.raises(ImportError, match="pip install"):
        compat.apply()


def _package_that_raises(folder: Path, name: str, statement: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(statement)


def test_opencv_without_libgl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _package_that_raises(tmp_path, "cv2", "raise ImportError('libGL.so.1: cannot open')")
    monkeypatch.delitem(sys.modules, "cv2")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"libGL.so.1.*opencv-contrib-python-headless"):
        compat._check_opencv()


NMS = "raise RuntimeError('operator torchvision::nms does not exist')"


def test_a_torchvision_that_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mmengine.runner import runner

    _package_that_raises(tmp_path, "torchvision", NMS)
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="does not load.*same build as torch"):
        compat.require("torchvision")
    assert "TorchVision" not in runner.collect_env()
    assert "torchvision" not in sys.modules


def test_timm_over_a_torchvision_that_does_not_load(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _package_that_raises(tmp_path, "timm", NMS)
    for name in [n for n in sys.modules if n.split(".")[0] == "timm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="timm does not load.*needs torchvision"):
        compat.require("timm")


def test_optional_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "decord", None)
    monkeypatch.setattr(compat, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="decord is not installed.*pip install decord"):
        compat.require("decord")
    assert compat.require("json").__name__ == "json"


def test_version() -> None:
    assert mmpmg.__version__ == "0.1.0"
