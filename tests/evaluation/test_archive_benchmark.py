"""The benchmark of archives: it reads the same bytes in every way, and its figures add up."""

from __future__ import annotations

import pytest

from mmpmg.datasets import ArchiveImages
from mmpmg.evaluation import archive_benchmark
from mmpmg.evaluation.archive_benchmark import benchmark_archives, write_archives


def test_every_way_holds_the_same_files(tmp_path):
    images = {f"{i % 3}/{i}.jpg": bytes([i]) * 100 * i for i in range(10)}
    paths = write_archives(tmp_path, images)
    assert len(paths) == 4
    for name, path in paths.items():
        if name == "loose files":
            found = {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*.jpg")}
        else:
            source = ArchiveImages(str(path), cache=False)
            found = {source.name(i)[len(str(path)) + 1 :]: source.read(i) for i in range(10)}
        assert found == images, name
    assert paths["zip, deflated"].stat().st_size < paths["zip, stored"].stat().st_size / 3


@pytest.mark.slow
def test_the_tables_have_positive_figures_for_each_way_and_start(monkeypatch):
    monkeypatch.setattr(archive_benchmark, "_IMAGES", 4)
    monkeypatch.setattr(archive_benchmark, "_SIZE", (24, 32))
    monkeypatch.setattr(archive_benchmark, "_KINDS", ("tar",))  # a start takes seconds
    tables = benchmark_archives(num_members=300, repeats=2).split("###")[1:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for table in tables for line in table.splitlines() if line.startswith("|")]  # fmt: skip
    reading = [row for row in rows if row[1] in ("read and decode", "read only")]
    assert [row[0] for row in reading] == ["loose files", "tar", "zip, stored", "zip, deflated"] * 2
    for row in reading:
        assert float(row[2]) > 0 and float(row[3].split()[0]) > 0
        if row[0] == "loose files":
            assert row[3] == "1.00 (1.00 to 1.00)"
    starting = [row for row in rows if "first" in row[0] or "second" in row[0]]
    assert [row[0] for row in starting] == ["tar, first", "tar, second"]
    assert all(0 <= float(row[1]) < 100 and float(row[2]) < 1000 for row in starting)


def test_big_archives_have_names_of_their_own():
    names = {archive_benchmark._name(number) for number in range(5000)}
    assert len(names) == 5000
    assert len({name.split("/")[1] for name in names}) == 5
