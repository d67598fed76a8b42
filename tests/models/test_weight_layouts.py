"""Averages, compiled and sharded models, and files that mean harm: read as meant, or refused."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import mmengine.model
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from mmpmg.models.foreign_bytes import WeightFileError
from mmpmg.models.weight_files import read_checkpoint, read_weights
from mmpmg.written_beside import written_beside


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(backbone=nn.Linear(3, 2), head=nn.Linear(2, 1)))


def assert_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert set(found) == set(wanted)
    assert all(torch.equal(found[key], value) for key, value in wanted.items())


def test_a_state_dict_goes_before_a_model_beside_it(tmp_path: Path) -> None:
    """As MMEngine takes it, so that no tool reads other weights than a training loads."""
    state = model().state_dict()
    torch.save({"model": {"x": torch.ones(1)}, "state_dict": state}, tmp_path / "w.pth")
    read = read_weights(tmp_path / "w.pth")
    assert read.wrapper == "state_dict" and set(read.state) == set(state)


@pytest.mark.parametrize("name", ["model_ema", "ema_state_dict", "state_dict_ema"])
def test_an_average_of_plain_names_is_said_to_be_one(name: str, tmp_path: Path) -> None:
    state = model().state_dict()
    torch.save({name: state, "epoch": 1}, tmp_path / "w.pth")
    with pytest.warns(UserWarning, match=r"w\.pth holds a running average of weights \(EMA\)"):
        read = read_weights(tmp_path / "w.pth")
    assert read.wrapper == name and set(read.state) == set(state)


@pytest.mark.parametrize("average", [AveragedModel, mmengine.model.ExponentialMovingAverage])
@pytest.mark.parametrize("name", ["", "state_dict", "model_ema", "ema_state_dict"])
def test_an_average_alone_is_read_and_said(tmp_path, average, name):
    state = average(model()).state_dict()
    torch.save({name: state, "epoch": 3} if name else state, tmp_path / "w.pth")
    with pytest.warns(UserWarning, match=r"w\.pth holds a running average.*of 0 steps"):
        found = read_weights(tmp_path / "w.pth")
    assert_same(found.state, model().state_dict())
    assert found.wrapper == name


def test_weights_go_before_their_average(tmp_path):
    average = {key: value + 1 for key, value in model().state_dict().items()}
    torch.save({"model_ema": average, "model": model().state_dict()}, tmp_path / "w.pth")
    found = read_weights(tmp_path / "w.pth")
    assert_same(found.state, model().state_dict())
    assert found.notes == ()


@pytest.mark.parametrize("parallel", ["", "module."])
@pytest.mark.parametrize("where", ["", "backbone", "both"])
def test_what_torch_compile_puts_before_names_is_taken_off_and_said(tmp_path, parallel, where):
    compiled = model()
    if where:
        compiled.backbone = torch.compile(compiled.backbone)
    if where != "backbone":
        compiled = torch.compile(compiled)
    state = {parallel + key: value for key, value in compiled.state_dict().items()}
    assert all("_orig_mod." in key for key in state if "backbone" in key)
    torch.save(state, tmp_path / "w.pth")
    with pytest.warns(UserWarning, match=r"_orig_mod\..*torch\.compile.*taken off"):
        assert_same(read_weights(tmp_path / "w.pth").state, model().state_dict())


def test_two_weights_of_one_name_are_refused(tmp_path):
    state = {"a._orig_mod.w": torch.ones(2), "a.w": torch.ones(2)}
    torch.save(state, tmp_path / "w.pth")
    with pytest.warns(UserWarning, match="_orig_mod"):
        assert_same(read_weights(tmp_path / "w.pth").state, {"a.w": torch.ones(2)})
    for other in (torch.zeros(2), torch.ones(2, dtype=torch.float16)):
        torch.save({**state, "a.w": other}, tmp_path / "w.pth")
        with pytest.raises(WeightFileError, match=r"two different weights 'a\.w'"):
            read_weights(tmp_path / "w.pth")


class Piece(Tensor):
    """Stands for DTensor, which needs a process group."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.ones(2, device="meta"), "has a shape and no values.*meta"),
        (torch.eye(2).to_sparse(), "is sparse.*to_dense"),
        (torch.ones(2).as_subclass(Piece), "is a Piece.*FSDP.*get_model_state_dict"),
    ],
)
def test_tensors_without_plain_numbers_are_refused(tmp_path, value, words):
    torch.save({"state_dict": {"a.weight": torch.ones(1), "b.weight": value}}, tmp_path / "w.pth")
    with (
        torch.serialization.safe_globals([Piece]),
        pytest.raises(WeightFileError, match=rf"w\.pth: 'b\.weight' {words}"),
    ):
        read_weights(tmp_path / "w.pth")


class Overridden:
    """Pickles as an ``OrderedDict`` with a method of its own."""

    def __reduce__(self) -> Any:
        return OrderedDict, (), {"items": 5}, None, iter([("a", torch.ones(1))])


@pytest.mark.parametrize("name", ["", "state_dict", "meta"])
def test_a_table_with_a_method_of_its_own_is_refused(tmp_path, name):
    torch.save({name: Overridden()} if name else Overridden(), tmp_path / "w.pth")
    with pytest.raises(WeightFileError, match=r"w\.pth: a table in it brings its own 'items'"):
        read_checkpoint(tmp_path / "w.pth")


def test_nesting_without_end_is_refused(tmp_path):
    deep = "[" * 200_000
    file, folder = tmp_path / "w.safetensors", tmp_path / "model"
    file.write_bytes(struct.pack("<Q", len(deep)) + deep.encode())
    with pytest.raises(WeightFileError, match=r"w\.safetensors is no safetensors file"):
        read_weights(file)
    save_file({"a": torch.ones(1)}, file, metadata={"mmpmg": deep})
    with pytest.raises(WeightFileError, match=r"w\.safetensors: its metadata 'mmpmg' are no JSON"):
        read_weights(file)
    folder.mkdir()
    (folder / "config.json").write_text(deep)
    with pytest.raises(WeightFileError, match=r"config\.json is no JSON"):
        read_weights(folder)


def test_the_tar_format_is_called_that_and_nobody_is_told_to_run_it(tmp_path):
    content = pickle.dumps({"protocol_version": 1000})
    with tarfile.open(tmp_path / "w.pth", "w") as file:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            part = tarfile.TarInfo(name)
            part.size = len(content)
            file.addfile(part, io.BytesIO(content))
    with pytest.raises(WeightFileError, match=r"w\.pth is in the tar format") as error:
        read_weights(tmp_path / "w.pth")
    assert "weights_only" not in str(error.value)


def test_an_archive_that_grows_when_it_is_read_is_refused(tmp_path):
    torch.save({"a": torch.zeros(100_000)}, tmp_path / "w.pth")
    assert read_weights(tmp_path / "w.pth").state["a"].numel() == 100_000
    with (
        zipfile.ZipFile(tmp_path / "w.pth") as plain,
        zipfile.ZipFile(tmp_path / "small.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for part in plain.infolist():
            packed.writestr(part.filename, plain.read(part))
    with pytest.raises(WeightFileError, match=r"small\.pth .* is compressed, to 40.,... bytes"):
        read_weights(tmp_path / "small.pth")


def test_an_archive_whose_parts_are_one_piece_of_the_file_is_refused(tmp_path):
    """A few megabytes may stand for as many terabytes so."""
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as file:
        file.writestr("w/data/0", bytes(9_000))
        file.filelist.append(file.filelist[0])
    with pytest.raises(WeightFileError, match=r"w\.pth .* to 18,000 bytes inside"):
        read_weights(tmp_path / "w.pth")


def test_a_shard_with_weights_that_the_index_does_not_place_in_it_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    index = {"module.a": "1.safetensors", "module.b": "2.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    save_file({"module.a": torch.ones(1)}, tmp_path / "1.safetensors")
    save_file({"module.b": torch.zeros(1)}, tmp_path / "2.safetensors")
    wanted = {"a": torch.ones(1), "b": torch.zeros(1)}
    assert_same(read_weights(tmp_path).state, wanted)
    for stranger in ("module.c", "module.a"):
        more = {"module.b": torch.zeros(1), stranger: torch.zeros(1)}
        save_file(more, tmp_path / "2.safetensors")
        with pytest.raises(
            WeightFileError, match=rf"2\.safetensors holds 1 weights.*example {stranger}"
        ):
            read_weights(tmp_path)


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "w"
    with written_beside(path) as first, written_beside(path) as second:
        assert first != second
        first.write_text("1")
        second.write_text("2")
    assert path.read_text() == "1"
    with pytest.raises(TypeError), written_beside(path) as third:
        third.write_bytes(b"half" + third.write_text("half"))  # fails when the file is there
    assert path.read_text() == "1"
    assert [p.name for p in Path(tmp_path).iterdir()] == ["w"]
