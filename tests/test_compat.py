from __future__ import annotations

import copy
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
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
            len(getattr(torch.serialization, "get_safe_globals", list)()),  # torch 2.4
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
    monkeypatch.setattr(
        torch.serialization, "add_safe_globals", lambda entries: 1 / 0, raising=False
    )
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


@pytest.mark.parametrize(
    ("statement", "command"),
    [
        (
            "raise OSError('libavformat.so.58: no such file')",
            "install --force-reinstall --no-deps decord",
        ),
        ("import a_module_that_is_nowhere", "install decord"),
        ("import decord.nowhere", "install --force-reinstall --no-deps decord"),
        ("raise ImportError(\"No module named 'mmcv'\")", "uninstall -y mmcv mmcv-lite"),
    ],
)
def test_a_package_that_is_there_is_not_merely_installed_again(
    statement: str, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """pip does nothing where the version is right; what is missing beside it, it brings."""
    _package_that_raises(tmp_path, "decord", statement)
    for name in [n for n in sys.modules if n.split(".")[0] == "decord"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ImportError, match=f"decord does not load .*reads videos; type: pip {command}"
    ):
        compat.require("decord")


def test_optional_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "decord", None)
    monkeypatch.setattr(compat, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="decord is not installed.*pip install decord"):
        compat.require("decord")
    assert compat.require("json").__name__ == "json"


def test_version() -> None:
    assert mmpmg.__version__ == "0.1.0"
