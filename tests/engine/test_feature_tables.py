"""The finished file says what was computed, whatever the order and the blocks it came in."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mmpmg.engine.feature_extraction import table
from mmpmg.engine.feature_extraction.parts import DoneRows, RowWriter
from mmpmg.engine.feature_extraction.table import Table, write_table
from mmpmg.engine.feature_extraction.videos import Videos

NAMES = [f"{letter}.mp4" for letter in "abcdefgh"]
LABELS = [3, 1, 4, 1, 5, 9, 2, 6]
GOOD = [0, 1, 3, 4, 6, 7]
ROWS = 2
# Of a video: rows, width. Every number of the table is another one.
VECTORS = np.arange(8 * ROWS * 5, dtype=np.float32).reshape(8, ROWS, 5) / 7


@pytest.fixture
def done(tmp_path):
    """Rows as two runs left them: out of order, bad videos out of order, one tried twice."""
    folder = tmp_path / "parts"
    folder.mkdir()
    with RowWriter(folder) as writer:
        writer.add([7, 1], VECTORS[[7, 1]], {5: "f.mp4: at first"})
        writer.add([3], VECTORS[[3]], {})
    time.sleep(0.02)  # runs are told apart by when they wrote last
    with RowWriter(folder) as writer:
        writer.add([6, 0, 4], VECTORS[[6, 0, 4]], {5: "f.mp4: in the end"})
        writer.add([], np.empty((0, 0, 0)), {2: "c.mp4: empty"})
    return DoneRows(folder, 8)


def written(done, file, by_clip=True):
    """Write a table and return its file."""
    beside = file.with_suffix(".part")
    write_table(Table(done, NAMES, LABELS, by_clip, dict(pool="clip"), lambda: None), file, beside)
    assert not beside.exists()
    return file


@pytest.mark.parametrize("block", [1, 4 * ROWS * 5 * 4, 1 << 26])
def test_an_npz_of_any_number_of_blocks(block, done, tmp_path, monkeypatch):
    """One video a block, four, and all of them."""
    monkeypatch.setattr(table, "_BLOCK", block)
    with np.load(written(done, tmp_path / "f.npz")) as file:
        found = dict(file)
    np.testing.assert_array_equal(found["features"], VECTORS[GOOD].reshape(-1, 5))
    assert found["paths"].tolist() == [NAMES[n] for n in GOOD for _ in range(ROWS)]
    assert found["labels"].tolist() == [LABELS[n] for n in GOOD for _ in range(ROWS)]
    assert found["clips"].tolist() == [0, 1] * len(GOOD)
    assert found["skipped"].tolist() == ["c.mp4: empty", "f.mp4: in the end"]
    kinds = {key: value.dtype for key, value in found.items()}
    assert kinds["features"] == np.float32
    assert kinds["labels"] == kinds["clips"] == np.int64


@pytest.mark.parametrize("block", [1, 4 * ROWS * 5 * 4, 1 << 26])
def test_a_parquet_of_any_number_of_blocks(block, done, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional")
    monkeypatch.setattr(table, "_BLOCK", block)
    found = parquet.read_table(written(done, tmp_path / "f.parquet"))
    features = np.array(found["feature"].to_pylist(), np.float32)
    np.testing.assert_array_equal(features, VECTORS[GOOD].reshape(-1, 5))
    assert found["path"].to_pylist() == [NAMES[n] for n in GOOD for _ in range(ROWS)]
    assert found["label"].to_pylist() == [LABELS[n] for n in GOOD for _ in range(ROWS)]
    assert found["clip"].to_pylist() == [0, 1] * len(GOOD)
    kinds = [str(field.type) for field in found.schema]
    assert kinds[:3] == ["string", "int64", "int64"]
    assert kinds[3].startswith("fixed_size_list") and "float" in kinds[3] and "[5]" in kinds[3]


def test_bytes_do_not_tell_the_hour(done, tmp_path, monkeypatch):
    one = written(done, tmp_path / "one.npz").read_bytes()
    later = time.localtime(time.time() + 1e6)
    monkeypatch.setattr(time, "localtime", lambda *given: later)
    assert written(done, tmp_path / "two.npz").read_bytes() == one


def test_a_set_is_known_by_its_names_their_order_and_their_labels(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.mp4").write_bytes(b"")

    def fingerprint(*lines):
        (tmp_path / "list.txt").write_text("\n".join(lines))
        return Videos(str(tmp_path / "list.txt"), str(tmp_path), [], 0.5).fingerprint()

    one = fingerprint("a.mp4 0", "b.mp4 1")
    assert one["number"] == 2
    assert fingerprint("a.mp4 0", "", "b.mp4 1") == one
    others = [
        fingerprint("b.mp4 1", "a.mp4 0"),
        fingerprint("a.mp4 0", "b.mp4 0"),
        fingerprint("a.mp4", "b.mp4"),
    ]
    assert len({one["sha256"], *(other["sha256"] for other in others)}) == 4
    assert Videos(str(tmp_path), "", [], 0.5).fingerprint() == others[2]
