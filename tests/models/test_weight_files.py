"""Weights come back as they went in, from every layout; everything else is told what it is."""

from __future__ import annotations

import argparse
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytest
import torch
from mmengine.runner import CheckpointLoader, load_checkpoint
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import VideoMAEConfig, VideoMAEModel

from mmpmg.models.foreign_bytes import WeightFileError
from mmpmg.models.pickle_format import CodeInFileError
from mmpmg.models.weight_files import load_from_safetensors, read_weights, write_weights

ENDINGS = ("pth", "safetensors")


def weights() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    wide = torch.randn(3, 4, generator=generator)
    return {
        "head.weight": wide.T,  # not contiguous
        "head.bias": wide[0],  # a view, into memory of another
        "half": wide.to(torch.bfloat16),
        "steps": torch.tensor(7),
        "none": torch.zeros(0, 2, dtype=torch.int16),
        "a.tied": wide,
        "b.tied": wide,
    }


def assert_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        assert found[key].dtype == value.dtype
        assert torch.equal(found[key], value), key


class Touch:
    """Pickles as a call that leaves a file behind."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.marker}'",)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_written_comes_back_bit_for_bit_with_its_meta(tmp_path, ending):
    meta = {"classes": ["a", "ö \"'\\"], "recipe": "x = 1\n\ty", "epoch": 3, "none": None}
    path = write_weights(tmp_path / f"new/weights.{ending}", weights(), meta)
    found = read_weights(path)
    assert_same(found.state, weights())
    assert found.meta == meta
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_libraries_read_what_was_written(tmp_path):
    path = write_weights(tmp_path / "w.safetensors", weights(), {"recipe": "ö"})
    assert_same(load_file(path), weights())
    path = write_weights(tmp_path / "w.pth", weights())
    assert_same(torch.load(path, weights_only=True)["state_dict"], weights())


@pytest.fixture(scope="module")
def written_elsewhere(tmp_path_factory):
    """A folder with the weights, as another process writes them in every form."""
    folder = tmp_path_factory.mktemp("elsewhere")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_weight_files import weights, write_weights\n"
        "for file in sys.argv[2:]:\n"
        "    write_weights(file, weights(), {'recipe': 'ö', 'a': [2], 'z': 1})"
    )
    files = [str(folder / f"other.{ending}") for ending in ENDINGS]
    subprocess.run([sys.executable, "-c", script, str(Path(__file__).parent), *files], check=True)
    return folder


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_weights_give_the_same_bytes_in_any_process_and_order(
    tmp_path, ending, written_elsewhere
):
    state, meta = weights(), {"z": 1, "a": [2], "recipe": "ö"}
    first = write_weights(tmp_path / f"first.{ending}", state, meta).read_bytes()
    turned = dict(reversed(state.items())), dict(reversed(meta.items()))
    for number in range(5):  # safetensors draws the order of its metadata anew each time
        assert write_weights(tmp_path / f"{number}.{ending}", *turned).read_bytes() == first
    assert (written_elsewhere / f"other.{ending}").read_bytes() == first


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = write_weights(tmp_path / "w.pth", weights())
    before = path.read_bytes()
    monkeypatch.setattr(torch, "save", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_weights(path, {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "meta", "words"),
    [("w.bin", {}, r"'\.bin'.*\.pth or \.safetensors"), ("w.pth", {"x": object()}, "JSON.*object"),
     ("w.safetensors", {"x": float("nan")}, "JSON")],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(tmp_path, path, meta, words):
    with pytest.raises(ValueError, match=words):
        write_weights(tmp_path / path, weights(), meta)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["state_dict", "model", "module", ""])
@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_weights_are_found_under_the_usual_names(tmp_path, name, old):
    state = {f"module.{key}": value for key, value in weights().items()}
    beside = dict(epoch=3, args=argparse.Namespace(lr=0.1), optimizer={"state": {}}, meta={"a": 1})
    torch.save({name: state, **beside} if name else state, tmp_path / "w.pth",
               _use_new_zipfile_serialization=not old)  # fmt: skip
    found = read_weights(str(tmp_path / "w.pth"))
    assert_same(found.state, weights())
    assert found.meta == ({"a": 1} if name else {})


def test_parameters_come_as_tensors_without_gradients(tmp_path):
    torch.save(nn.Linear(2, 3).state_dict(keep_vars=True), tmp_path / "w.pt")
    assert not any(value.requires_grad for value in read_weights(tmp_path / "w.pt").state.values())


def test_a_safetensors_file_of_someone_else_keeps_its_metadata(tmp_path):
    save_file({"a": torch.ones(2)}, tmp_path / "w.safetensors", metadata={"author": "x"})
    assert read_weights(tmp_path / "w.safetensors").meta == {"author": "x"}
    save_file({"a": torch.ones(2)}, tmp_path / "w.safetensors", metadata={"mmpmg": "[1]"})
    assert read_weights(tmp_path / "w.safetensors").meta == {"mmpmg": [1]}  # no meta of ours


def test_transformers_4_takes_what_was_written(tmp_path):
    """It refuses a file whose metadata do not say that PyTorch wrote it."""
    with safe_open(write_weights(tmp_path / "w.safetensors", weights()), "pt") as file:
        assert file.metadata()["format"] == "pt"


def test_a_path_from_home_is_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_weights(tmp_path / "w.pth", weights())
    assert_same(read_weights("~/w.pth").state, weights())


def video_mae() -> VideoMAEModel:
    torch.manual_seed(0)
    return VideoMAEModel(
        VideoMAEConfig(image_size=16, patch_size=8, num_frames=4, hidden_size=24,
                       num_hidden_layers=2, num_attention_heads=3, intermediate_size=48)
    )  # fmt: skip


@pytest.mark.parametrize("shard", ["50GB", "20KB"], ids=["one file", "sharded"])
def test_a_folder_of_hugging_face_is_read_whole(tmp_path, shard):
    model = video_mae()
    model.save_pretrained(tmp_path, max_shard_size=shard)
    assert len(list(tmp_path.glob("*.safetensors"))) == 1 or shard == "20KB"
    found = read_weights(tmp_path)
    model.save_pretrained(tmp_path / "whole")  # the names in files are not those of the model
    assert_same(found.state, load_file(tmp_path / "whole/model.safetensors"))
    assert found.meta["config"]["hidden_size"] == 24


def test_mmengine_loads_safetensors_where_it_takes_a_checkpoint(tmp_path):
    model = nn.Linear(2, 3)
    path = write_weights(tmp_path / "w.safetensors", nn.Linear(2, 3).state_dict())
    load_checkpoint(model, str(path), map_location="cpu", strict=True, logger="silent")
    assert_same(dict(model.state_dict()), load_file(path))
    elsewhere = CheckpointLoader.load_checkpoint(str(path), map_location="meta", logger="silent")
    assert {value.device.type for value in elsewhere["state_dict"].values()} == {"meta"}
    for scheme in ("https", "s3"):  # an address goes to the loader of its scheme
        loader = CheckpointLoader._get_checkpoint_loader(f"{scheme}://host/w.safetensors")
        assert loader is not load_from_safetensors


# What is refused, and with which words ---------------------------------------------------------


@pytest.mark.parametrize("place", ["state_dict", "optimizer"])
@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_code_is_named_and_not_run(tmp_path, place, old):
    marker, file = tmp_path / "ran", tmp_path / "evil.pth"
    content = {"state_dict": weights(), place: {"x": Touch(marker)}}
    torch.save(content, file, _use_new_zipfile_serialization=not old)
    with pytest.raises(CodeInFileError, match=r"evil\.pth.*nothing.*run.*\((posix|nt)\.system\)"):
        read_weights(file)
    assert not marker.exists()
    torch.load(file, weights_only=False)  # the file does what it is accused of
    assert marker.exists()


def test_code_in_a_folder_s_weights_is_not_run(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    torch.save({"x": Touch(tmp_path / "ran")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(CodeInFileError, match=r"pytorch_model\.bin.*system"):
        read_weights(tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_others_may_read_what_is_written_as_they_may_any_new_file(tmp_path, ending):
    (tmp_path / "any").touch()
    write_weights(tmp_path / f"w.{ending}", weights(), {})
    assert (tmp_path / f"w.{ending}").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_program_of_torchscript_is_called_that(tmp_path):
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), tmp_path / "w.pt")
    with pytest.raises(CodeInFileError, match="TorchScript archive.*state_dict"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_a_cut_file_is_refused_wherever_it_was_cut(tmp_path, old):
    buffer = io.BytesIO()
    torch.save({"state_dict": weights()}, buffer, _use_new_zipfile_serialization=not old)
    whole, file = buffer.getvalue(), tmp_path / "epoch_1.pth"
    for length in {*range(1, 24), *range(24, len(whole), 97), len(whole) - 1}:
        file.write_bytes(whole[:length])
        with pytest.raises(WeightFileError, match=r"epoch_1\.pth.*again"):
            read_weights(file)


def test_a_larger_file_that_was_cut_is_refused_too(tmp_path):
    """From some size on a cut archive makes torch seek to before its beginning."""
    file = tmp_path / "epoch_1.pth"
    torch.save({"state_dict": {f"{n}.weight": torch.randn(30, 40) for n in range(30)}}, file)
    whole = file.read_bytes()
    for length in (9_000, 40_000, len(whole) - 100):
        file.write_bytes(whole[:length])
        with pytest.raises(WeightFileError, match=r"epoch_1\.pth.*again"):
            read_weights(file)


def test_a_zip_that_is_no_checkpoint(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(WeightFileError, match="no complete checkpoint"):
        read_weights(tmp_path / "w.pth")


def header(entries: Any, length: int | None = None, data: bytes = b"") -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x05\x00\x00", r"\(3 bytes\) is too short.*first 8 bytes"),
        (header({"a": ENTRY}, 10**6, bytes(8)), r"should have 1,000,000 bytes, and only"),
        (header({"a": ENTRY}, 2**63, bytes(8)), r"should have 9,223,372,036,854,775,808 bytes"),
        (header(b"{not json at all}"), "is no JSON"),
        (header(b"{\xff\xfe}"), "is no JSON"),
        (header({"a": {**ENTRY, "dtype": "F99"}}, data=bytes(8)), "F99"),
        (header({"a": ENTRY}, data=bytes(7)), "cut short.*promises 8 bytes.*7 are there"),
        (
            header({"a": ENTRY, "b": {**ENTRY, "data_offsets": [8, 16]}}, data=bytes(12)),
            "cut short.*promises 16 bytes.*12 are there",
        ),
        (header({"a": {**ENTRY, "shape": [3]}}, data=bytes(8)), "no complete safetensors"),
        (header({"a": {**ENTRY, "data_offsets": [-8, 8]}}, data=bytes(8)), "no complete safet"),
        (header({"a": {**ENTRY, "data_offsets": [0, 2**60]}}, data=bytes(8)), "cut short"),
        (header({"a": ENTRY}, data=bytes(80)), "no complete safetensors"),
        (header({"a": 3}), "no complete safetensors"),
        (header(b"[]"), "no complete safetensors|no JSON"),
        (header({"__metadata__": {"mmpmg": "{"}, "a": ENTRY}, data=bytes(8)), "'mmpmg' are no"),
    ],
)
def test_a_wrong_header_is_described(tmp_path, content, words):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(WeightFileError, match=rf"w\.safetensors.*{words}"):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("length", [ord("{"), ord("["), 0x7B20, 0x5B20, 0x7B0A])
def test_a_header_as_long_as_a_bracket_s_number_is_no_text(tmp_path, length):
    """Its length comes first, lowest byte first: 0x7B20 is a space and a brace, then zeros."""
    text = json.dumps({"a": ENTRY}).encode().ljust(length)
    (tmp_path / "w.safetensors").write_bytes(header(text, data=bytes(8)))
    assert_same(read_weights(tmp_path / "w.safetensors").state, {"a": torch.zeros(2)})


def test_a_format_under_the_other_s_name_says_how_to_rename_it(tmp_path):
    write_weights(tmp_path / "a.pth", weights()).rename(tmp_path / "a.safetensors")
    with pytest.raises(WeightFileError, match=r"torch\.save.*rename it to a\.pth"):
        read_weights(tmp_path / "a.safetensors")
    write_weights(tmp_path / "b.safetensors", weights()).rename(tmp_path / "b.pth")
    with pytest.raises(WeightFileError, match=r"rename it to b\.safetensors"):
        read_weights(tmp_path / "b.pth")


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 345\n"


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (POINTER, "Git LFS pointer.*git lfs pull --include=w"),
        (b"<!DOCTYPE html><html>404</html>", "web page.*link of the file itself"),
        (b"\n <HTML><head>", "web page"),
        (b'{"error": "not found"}', "is text.*not found"),
        (b"Access denied", "is text.*Access denied"),
        (b"\x89PNG\r\n\x1a\n", "PNG picture"),
        (b"\x1f\x8b\x08", "gzip; unpack"),
    ],
)
def test_what_is_no_file_of_weights_is_called_by_its_name(tmp_path, content, words, ending):
    file = tmp_path / f"w.{ending}"
    file.write_bytes(content)
    with pytest.raises(WeightFileError, match=rf"w\.{ending}.*{words}"):
        read_weights(file)


def test_folders_that_are_no_model(tmp_path):
    with pytest.raises(WeightFileError, match=r"without config\.json.*a \.pth or \.safetensors"):
        read_weights(tmp_path)
    write_weights(tmp_path / "epoch_1.pth", weights())
    with pytest.raises(WeightFileError, match=r"without config\.json.*one of.*epoch_1\.pth"):
        read_weights(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(WeightFileError, match=r"no weights beside it \(model\.safetensors"):
        read_weights(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightFileError, match=r"config\.json is no JSON"):
        read_weights(tmp_path)


def test_a_shard_that_is_missing_cut_or_elsewhere_is_named(tmp_path):
    video_mae().save_pretrained(tmp_path, max_shard_size="20KB")
    index, shard = tmp_path / "model.safetensors.index.json", min(tmp_path.glob("model-0*"))
    content, places = shard.read_bytes(), json.loads(index.read_text())
    shard.write_bytes(content[:-1])
    with pytest.raises(WeightFileError, match=rf"{shard.name}.*cut short"):
        read_weights(tmp_path)
    shard.unlink()
    with pytest.raises(WeightFileError, match=rf"lacks 1 of the \d+ files.*{shard.name}"):
        read_weights(tmp_path)
    shard.write_bytes(content)
    more = {**places["weight_map"], "lost.weight": shard.name}
    index.write_text(json.dumps({"weight_map": more}))
    with pytest.raises(
        WeightFileError, match=rf"lacks 1 of the weights.*lost\.weight.*{shard.name}"
    ):
        read_weights(tmp_path)
    index.write_text(json.dumps({"weight_map": {"a": "../other.safetensors"}}))
    with pytest.raises(WeightFileError, match=r"out of its folder.*\.\./other"):
        read_weights(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(3, "holds a int"), ({}, "it is empty"), ({"a": 1, "b": torch.zeros(1)}, "'a' is a int"),
     ({"state_dict": {"x": "text"}}, "'x' is a str"), ({"optimizer": {}}, "'optimizer' is a dict")],
)  # fmt: skip
def test_a_file_without_weights_tells_what_it_holds(tmp_path, content, words):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightFileError, match=words):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("asked", ["", "?download=true"])
def test_safetensors_at_an_address_are_to_be_downloaded(asked):
    """MMEngine would download them, and unpickle what is no pickle."""
    address = f"https://host.invalid/model.safetensors{asked}"
    with pytest.raises(WeightFileError, match=r"https://host\.invalid/.* download it, and give"):
        read_weights(address)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*missing\.pth"):
        read_weights(tmp_path / "missing.pth")


def test_every_refusal_is_a_value_error_and_code_an_unpickling_error_too():
    assert issubclass(WeightFileError, ValueError)
    assert issubclass(CodeInFileError, (WeightFileError, UnpicklingError))
