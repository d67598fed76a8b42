"""Images read in place: as unpacked ones; bad archives and members are errors or named."""

from __future__ import annotations

import multiprocessing
import os
import tarfile
import zipfile
from collections import Counter
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmaction.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from PIL import Image
from torch.utils.data import DataLoader

from mmpmg.datasets import (
    ArchiveError,
    ArchiveImages,
    FolderImages,
    ImageReadError,
    ImageToPseudoVideo,
    SampleSeedSampler,
)
from mmpmg.datasets.image_sources import CategorizedImages

NAMES = ["0000000001/000003.jpg", "0000000001/000001.jpg", "0000000000/000007.jpg", "top.png"]


def picture(number: int, ending: str = ".png") -> bytes:
    out = BytesIO()
    image = np.full((5, 7, 3), number, np.uint8)
    Image.fromarray(image).save(out, {".png": "PNG", ".jpg": "JPEG"}[ending])
    return out.getvalue()


def pack(path, members, method=zipfile.ZIP_DEFLATED):
    """Write name -> content as a tar or zip, by the ending; older than the clock's grain."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", method) as file:
            for name, data in members.items():
                file.writestr(name, data)
    else:
        with tarfile.open(path, "w") as tar:
            for name, data in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, BytesIO(data))
    os.utime(path, ns=(10**18, 10**18))
    return str(path)


@pytest.fixture
def members():
    return {name: picture(20 * i, name[-4:]) for i, name in enumerate(NAMES)}


@pytest.fixture(params=[".tar", ".zip", "stored.zip"])
def archive(request, tmp_path, members):
    method = zipfile.ZIP_STORED if request.param == "stored.zip" else zipfile.ZIP_DEFLATED
    return pack(tmp_path / f"images{request.param}", members, method)


@pytest.fixture
def log(tmp_path):
    """Return the file that MMEngine's current logger writes to."""
    file = tmp_path / "run.log"
    MMLogger.get_instance("archives", log_file=str(file))
    yield file
    MMLogger._instance_dict.pop("archives")


def test_an_archive_is_the_folder_that_it_unpacks_to(archive, members, tmp_path):
    """Same order, same categories, same pixels: so every subset is the same, too."""
    for name, data in members.items():
        (tmp_path / "unpacked" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "unpacked" / name).write_bytes(data)
    loose = FolderImages(str(tmp_path / "unpacked"), cache=False)
    packed = ArchiveImages(archive, cache=False)
    assert isinstance(packed, CategorizedImages)
    assert len(packed) == len(loose) == 4
    for i in range(4):
        assert os.path.relpath(packed.name(i), archive) == os.path.relpath(
            loose.name(i), tmp_path / "unpacked"
        )
        np.testing.assert_array_equal(packed.load(i), loose.load(i))
    np.testing.assert_array_equal(packed.categories(), loose.categories())
    for index in (-1, 4):
        with pytest.raises(IndexError):
            packed.load(index)


def test_several_archives_and_patterns(tmp_path):
    for number in (0, 1, 10, 2):
        pack(tmp_path / f"PASS.{number}.tar", {f"PASS_dataset/{number % 2}/x{number}.png": b""})
    pattern = str(tmp_path / "PASS.*.tar")
    source = ArchiveImages(pattern, cache=False)
    assert [source.name(i)[-6:] for i in range(4)] == ["x0.png", "x1.png", "10.png", "x2.png"]
    assert source.categories().tolist() == [0, 1, 0, 0]
    assert ArchiveImages(pattern, category="archive", cache=False).categories().tolist() == [
        0,
        1,
        2,
        3,
    ]
    again = ArchiveImages([str(tmp_path / "PASS.2.tar"), pattern], cache=False)
    assert [again.name(i)[-6:] for i in range(len(again))] == [
        "x2.png",
        "x0.png",
        "x1.png",
        "10.png",
    ]


def test_many_archives_are_not_all_held_open(tmp_path):
    for number in range(150):
        pack(tmp_path / f"{number:03d}.tar", {"a.png": picture(number)})
    source = ArchiveImages(str(tmp_path / "*.tar"), cache=False)
    for _ in range(2):
        assert [int(source.load(i)[0, 0, 0]) for i in range(150)] == list(range(150))
    handles = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
               if os.path.exists(f"/proc/self/fd/{n}")]  # fmt: skip
    assert len([name for name in handles if name.startswith(str(tmp_path))]) <= 64


class First:
    """Keep the red value of the first pixel: which image it is."""

    def __call__(self, results):
        return {"red": int(results["imgs"][0][0, 0, 0]), "process": os.getpid()}


@pytest.mark.parametrize(
    ("method", "workers"), [("fork", 2), pytest.param("spawn", 1, marks=pytest.mark.slow)]
)
def test_workers_read_what_the_parent_reads_also_when_its_files_are_open(tmp_path, method, workers):
    path = pack(tmp_path / "a.tar", {f"{i:03d}.png": picture(i) for i in range(200)})
    dataset = ImageToPseudoVideo(ArchiveImages(path, cache=str(tmp_path / "cache")), [First()])
    sampler = SampleSeedSampler(dataset, shuffle=True, seed=0)
    expected = [dataset[i]["red"] for i in sampler]  # opens the file here
    loader = DataLoader(
        dataset, 10, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate,
        multiprocessing_context=multiprocessing.get_context(method),
    )  # fmt: skip
    batches = list(loader)
    assert [red for batch in batches for red in batch["red"]] == expected
    assert (
        len({process for batch in batches for process in batch["process"]} - {os.getpid()})
        == workers
    )
    assert sorted(expected) == list(range(200))


def test_what_is_passed_over_is_counted_and_named(tmp_path, log):
    members = {
        "../up.png": b"x", "/etc/root.png": b"x", "more.zip": b"PK", "a/._a.png": b"x",
        "README.txt": b"x", "a/good.png": picture(9),
    }  # fmt: skip
    for name in ("x.tar", "x.zip"):
        source = ArchiveImages(pack(tmp_path / name, members), cache=False)
        assert len(source) == 1 and int(source.load(0)[0, 0, 0]) == 9
        assert source.passed_over.count() == 5
        line = log.read_text().splitlines()[-1]
        for words in ("WARNING", name, "5 members", "2 its path leaves the folder (../up.png, ",
                      "1 an archive inside the archive (more.zip)", "README.txt"):  # fmt: skip
            assert words in line


def test_harmless_members_are_no_warning(tmp_path, log):
    path = pack(tmp_path / "x.tar", {"README.txt": b"x", "good.png": picture(9)})
    ArchiveImages(path, cache=False)
    assert "README.txt" in log.read_text() and "WARNING" not in log.read_text()


def test_an_archive_without_images_says_what_it_holds(tmp_path):
    path = pack(tmp_path / "x.zip", {"n01440764.tar": b"x", "n01443537.tar": b"x"})
    with pytest.raises(FileNotFoundError, match=r"holds no image.*2 an archive inside.*n01440764"):
        ArchiveImages(path, cache=False, hint="Unpack it once.")
    empty = [pack(tmp_path / "e.tar", {}), pack(tmp_path / "e.zip", {})]
    for path in empty:
        with pytest.raises(FileNotFoundError, match=r"e\.\w+ .*holds no image.*Get it here\.$"):
            ArchiveImages(path, cache=False, hint="Get it here.")


def test_encrypted_zips(tmp_path, members):
    path = tmp_path / "a.zip"
    pack(path, members)
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(FileNotFoundError, match=r"4 encrypted \("):
        ArchiveImages(str(path), cache=False)


@pytest.mark.parametrize(
    ("mode", "command"), [("gz", "gunzip -k"), ("bz2", "bunzip2 -k"), ("xz", "unxz -k")]
)
def test_compressed_tars_are_refused_by_content(tmp_path, mode, command):
    with tarfile.open(tmp_path / "images.tar", f"w:{mode}") as tar:
        tar.addfile(tarfile.TarInfo("a.png"), BytesIO())
    with pytest.raises(ArchiveError, match=f"compressed as a whole.*{command} .*images.tar"):
        ArchiveImages(str(tmp_path / "images.tar"), cache=False)


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"<html>404", "<html>")])
def test_what_is_no_archive_is_refused(tmp_path, content, words):
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(ArchiveError, match=f"neither a tar nor a zip.*{words}"):
        ArchiveImages(str(tmp_path / "a.tar"), cache=False)


def test_missing_archives_are_counted(tmp_path):
    pack(tmp_path / "a.tar", {"a.png": picture(1)})
    wanted = [str(tmp_path / name) for name in ("a.tar", "b.tar", "c*.tar")]
    with pytest.raises(FileNotFoundError, match=r"2 of the 3 .*images\.archives.*b\.tar.*c\*"):
        ArchiveImages(wanted, cache=False)
    with pytest.raises(ValueError, match=r"images\.archives is empty"):
        ArchiveImages([], cache=False)


def test_a_truncated_tar_is_an_error_unless_the_recipe_says_otherwise(tmp_path, log):
    path = tmp_path / "a.tar"
    whole = pack(tmp_path / "whole.tar", {"w.png": picture(3)})
    pack(path, {f"{i}.png": picture(i) for i in range(10)})
    data = path.read_bytes()
    path.write_bytes(data[: 5 * 1024 + 550])
    with pytest.raises(
        ArchiveError, match=r"1 of 2 archives.*a\.tar: cut short.*byte 5120 .*truncated='use'.* 6 "
    ):
        ArchiveImages([str(path), whole], cache=False)
    source = ArchiveImages([str(path), whole], truncated="use", cache=False)
    assert [int(source.load(i)[0, 0, 0]) for i in range(6)] == [0, 1, 2, 3, 4, 3]
    assert "WARNING" in log.read_text() and "cut short" in log.read_text()


@pytest.mark.parametrize("kind", [".tar", ".zip"])
def test_an_archive_that_changes_after_it_was_indexed(tmp_path, members, kind):
    path = tmp_path / f"a{kind}"
    source = ArchiveImages(pack(path, members), cache=False)
    path.write_bytes(path.read_bytes() + bytes(512))
    with pytest.raises(ImageReadError, match=rf"a\{kind}/0000.*changed after it was indexed"):
        source.load(0)
    path.unlink()
    with pytest.raises(ImageReadError, match="No such file"):
        source.load(1)


@pytest.mark.parametrize("kind", [".tar", ".zip"])
def test_a_member_that_is_not_there_any_more_is_noticed_even_if_size_and_time_are_the_same(
    tmp_path, members, kind
):
    path = tmp_path / f"a{kind}"
    cache = str(tmp_path / "cache")
    size = os.path.getsize(pack(path, members))
    ArchiveImages(str(path), cache=cache)
    names = list(members)
    pack(path, {name: members[name] for name in [names[1], names[0], *names[2:]]})
    assert os.path.getsize(path) == size
    source = ArchiveImages(str(path), cache=cache)
    for number in (1, 2):
        with pytest.raises(ImageReadError, match=r"/00000[13]\.jpg: .* else there than its index"):
            source.load(number)
    for number, value in ((0, 40), (3, 60)):
        assert abs(int(source.load(number)[0, 0, 0]) - value) < 3


def test_damaged_content_of_a_zip_is_noticed(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / "a.zip"
        pack(path, {"a.jpg": noise}, method)
        data = bytearray(path.read_bytes())
        data[2000] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(ImageReadError, match=r"a\.zip/a\.jpg: (damaged|cannot be decomp)"):
            ArchiveImages(str(path), cache=False).load(0)


def test_a_bomb_is_not_inflated(tmp_path):
    """The directory says 10 bytes; the content would be 50 MB."""
    path = tmp_path / "a.zip"
    pack(path, {"a.png": bytes(50_000_000)})
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match="does not match its checksum"):
        ArchiveImages(str(path), cache=False).load(0)


def test_content_that_is_no_image_is_a_bad_image(tmp_path):
    path = pack(tmp_path / "a.tar", {"a.png": b"<html>", "b.png": b"", "c.png": picture(5)})
    source = ArchiveImages(path, cache=False)
    with pytest.raises(ImageReadError, match=r"a\.tar/a\.png: no image"):
        source.load(0)
    with pytest.raises(ImageReadError, match="empty"):
        source.load(1)
    dataset = ImageToPseudoVideo(source, [First()])
    SampleSeedSampler(dataset, seed=0)
    assert [dataset[i]["red"] for i in range(3)] == [5, 5, 5]
    assert [os.path.basename(name) for name in dataset.bad_samples.names()] == ["a.png", "b.png"]


def test_options_and_registration(archive):
    built = DATASETS.build(dict(type="ArchiveImages", archives=archive, cache=False))
    assert len(built) == 4
    assert len(ArchiveImages(archive, extensions=["PNG"], cache=False)) == 1
    with pytest.raises(ImageReadError, match="max_pixels=3"):
        ArchiveImages(archive, max_pixels=3, extensions=["png"], cache=False).load(0)
    for key, value in [("truncated", "skip"), ("category", "name"), ("extensions", ".jpg"),
                       ("extensions", []), ("max_pixels", 0)]:  # fmt: skip
        with pytest.raises(ValueError, match=f"images.{key}="):
            ArchiveImages(archive, **{key: value})
    with pytest.raises(TypeError, match="archive_"):
        DATASETS.build(dict(type="ArchiveImages", archive_=archive))


def test_balanced_over_folders_of_an_archive(tmp_path):
    counts = {"ant": 3, "bee": 20, "cat": 7}
    members = {f"{k}/{i}.png": picture(i) for k, n in counts.items() for i in range(n)}
    source = ArchiveImages(pack(tmp_path / "a.zip", members), cache=False)
    dataset = ImageToPseudoVideo(source, [], num_images=9, subset="balanced")
    names = [dataset.get_data_info(i)["filename"] for i in range(9)]
    assert Counter(name.split("/")[-2] for name in names) == dict.fromkeys(counts, 3)


@settings(max_examples=150, deadline=None)
@given(st.data())
@pytest.mark.parametrize("kind", [".tar", ".zip"])
def test_one_wrong_byte_anywhere_gives_an_error_or_true_content(kind, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flip") / f"a{kind}"
    members = {"x/a.png": b"first" * 40, "x/b.png": b"second" * 40, "y/c.png": b"third" * 40}
    content = bytearray((pack(path, members), path.read_bytes())[1])
    at = data.draw(st.integers(0, len(content) - 1), "position")
    content[at] ^= data.draw(st.integers(1, 255), "flip")
    path.write_bytes(content)
    try:
        source = ArchiveImages(str(path), truncated="use", cache=False)
    except (ArchiveError, FileNotFoundError):
        return
    for index in range(len(source)):
        try:
            found = source.read(index)
        except ImageReadError:
            continue
        # A tar has no checksum of contents: there one byte of one file may be wrong.
        wrong = min(
            sum(a != b for a, b in zip(found, true)) if len(found) == len(true) else len(true)
            for true in members.values()
        )
        assert wrong <= (1 if kind == ".tar" else 0)
