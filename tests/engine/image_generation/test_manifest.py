from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from mmpmg.engine.image_generation.command import Command
from mmpmg.engine.image_generation.errors import GenerationError
from mmpmg.engine.image_generation.layout import Layout
from mmpmg.engine.image_generation.manifest import (
    MANIFEST,
    Record,
    file_line,
    read_command,
    skipped_line,
    write_manifest,
)

COMMAND = Command(
    source="shaders",
    parameters={"num_categories": 3, "size": [4, 5], "seed": 0},
    num=7,
    num_categories=3,
    format="png",
    encoder="OpenCV 5",
    version="1",
    probe="ab",
)


def made(layout: Layout) -> Record:
    """All images made; the file of place p holds the text p."""
    record = Record(layout)
    record.made[:] = True
    for place in range(layout.num):
        digest = hashlib.sha256(str(place).encode()).digest()
        record.digests[place] = np.frombuffer(digest, np.uint8)
    return record


def write(folder, record) -> str:
    write_manifest(folder, COMMAND, record, folder / "part")
    return (folder / MANIFEST).read_text()


def test_standard_tools_can_check_it(tmp_path):
    layout = COMMAND.layout
    for place in range(layout.num):
        file = tmp_path / layout.path(place)
        file.parent.mkdir(exist_ok=True)
        file.write_text(str(place))
    write(tmp_path, made(layout))
    check = ["sha256sum", "-c", "--quiet", MANIFEST]
    assert subprocess.run(check, cwd=tmp_path).returncode == 0
    (tmp_path / layout.path(3)).write_text("else")
    found = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 1 and f"{layout.path(3)}: FAILED" in found.stdout


def test_it_comes_back(tmp_path):
    record = made(COMMAND.layout)
    record.made[2], record.skipped[2] = False, "line one\nline two: # é"
    write(tmp_path, record)
    assert not (tmp_path / "part").exists()
    assert read_command(tmp_path) == COMMAND
    back = Record(COMMAND.layout)
    assert back.read(tmp_path / MANIFEST) == 6
    np.testing.assert_array_equal(back.made, record.made)
    np.testing.assert_array_equal(back.digests[back.made], record.digests[record.made])
    assert back.skipped == record.skipped
    assert len(back.missing()) == 0


def test_its_lines_are_in_the_order_of_paths(tmp_path):
    lines = write(tmp_path, made(COMMAND.layout)).splitlines()[2:]
    assert len(lines) == 7
    assert [line[66:] for line in lines] == sorted(line[66:] for line in lines)


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_torn_line_counts_for_nothing(tmp_path, cut):
    layout = COMMAND.layout
    lines = [file_line(layout.path(place), bytes([place] * 32)) for place in (0, 1)]
    journal = tmp_path / "journal"
    journal.write_text("# shard 0/1\n" + "".join(lines)[:-cut])
    record = Record(layout)
    assert record.read(journal) == 1
    assert list(np.flatnonzero(record.made)) == [0]
    assert list(record.missing()) == [1, 2, 3, 4, 5, 6]


def test_bytes_that_are_no_text_count_for_nothing(tmp_path):
    journal = tmp_path / "journal"
    line = file_line(COMMAND.layout.path(1), bytes(32)).encode()
    journal.write_bytes(b"\0" * 100 + b"\xff\n" + line)  # what a crashed machine may leave
    record = Record(COMMAND.layout)
    assert record.read(journal) == 1


def test_machines_that_disagree_are_found_out(tmp_path):
    record = Record(COMMAND.layout)
    path = COMMAND.layout.path(4)
    (tmp_path / "a").write_text(file_line(path, bytes(32)))
    (tmp_path / "b").write_text(file_line(path, bytes([1] * 32)))
    record.read(tmp_path / "a")
    record.read(tmp_path / "a")  # two runs may have made the same
    with pytest.raises(GenerationError, match=f"{path} another checksum"):
        record.read(tmp_path / "b")


def test_what_was_made_after_all_is_not_skipped(tmp_path):
    layout = COMMAND.layout
    journal = tmp_path / "journal"
    journal.write_text(skipped_line(layout.path(0), "why") + file_line(layout.path(0), bytes(32)))
    record = Record(layout)
    record.read(journal)
    assert next(record.lines()) == file_line(layout.path(0), bytes(32))
    assert list(record.missing()) == [1, 2, 3, 4, 5, 6]


def test_another_file_of_that_name_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text("not\nours\n")
    with pytest.raises(GenerationError, match=MANIFEST):
        read_command(tmp_path)
    (tmp_path / MANIFEST).write_text('# x\n# {"source": "shaders", "more": 1}\n')
    with pytest.raises(GenerationError, match="more"):
        read_command(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", "gif"), ("format", 3), ("num", "6"), ("num", 0), ("num", True), ("num", 1e12),
     ("num_categories", 0), ("num_categories", None), ("parameters", []), ("source", 1),
     ("version", None)],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named(tmp_path, key, value):
    head = json.dumps({**json.loads(COMMAND.to_json()), key: value})
    (tmp_path / MANIFEST).write_text(f"# x\n# {head}\n")
    with pytest.raises(GenerationError, match=f"cannot be read as a manifest: {key} "):
        read_command(tmp_path)


@pytest.mark.parametrize("num", [10**13, 10**30])
def test_a_number_beyond_all_memory_is_named(num):
    with pytest.raises(GenerationError, match=f"{num} images"):
        Record(replace(COMMAND, num=num).layout)


def test_a_damaged_reason_counts_for_nothing(tmp_path):
    (tmp_path / "journal").write_text(f"# skipped {COMMAND.layout.path(0)}: why\n")
    record = Record(COMMAND.layout)
    record.read(tmp_path / "journal")
    assert not record.skipped


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "perlin", "parameters": {}, "probe": "x"}, ["source shaders, not perlin"]),
        ({"parameters": {"num_categories": 3, "size": 4, "seed": 0}, "probe": "x"},
         ["size [4, 5], not 4"]),
        ({"format": "jpeg", "encoder": "e"}, ["format png, not jpeg", "encoder OpenCV 5, not e"]),
        ({"version": "2"}, ["version 1, not 2"]),
        ({"probe": "x"},
         ["another first image from the same parameters: another generator made it"]),
        ({"num": 99}, []),
    ],
)  # fmt: skip
def test_differences_are_named(change, words):
    assert COMMAND.differences(replace(COMMAND, **change)) == words


def test_it_says_what_to_type_again():
    command = replace(COMMAND, parameters={**COMMAND.parameters, "color": True, "root": None})
    assert command.shell("a folder") == (
        "tools/generate_images.py shaders --num 7 --out 'a folder' --num-categories 3 "
        "--size 4 5 --seed 0 --options color=True"
    )
