"""Images inside tars and zips, read in place: nothing is unpacked."""

from __future__ import annotations

import glob
import os
from collections import OrderedDict
from collections.abc import Sequence
from io import FileIO

import numpy as np
from mmaction.registry import DATASETS

from .archive_index import ArchiveIndex, index_archives
from .archive_member import ArchiveError
from .archive_scan import Wanted
from .generated_images import positive
from .image_decoding import MAX_PIXELS, ImageReadError, decode_image
from .image_sources import IMAGE_EXTENSIONS, no_images
from .passed_over import PassedOver

TRUNCATED = ("error", "use")
_CATEGORIES = ("folder", "archive")
_OPEN = 64  # files held open by a process


class ImagesInArchives:
    """Images in archives: what `ArchiveImages` and `WebDatasetImages` have in common.

    Attributes:
        archives: the archives, in order.
        passed_over: which members are not used, and why.
    """

    def __init__(
        self,
        archives: Sequence[str],
        wanted: Wanted,
        truncated: str,
        cache: bool | str,
        max_pixels: int,
        hint: str | None,
        key: str,
    ) -> None:
        if truncated not in TRUNCATED:
            raise ValueError(
                f"images.truncated={truncated!r}: must be one of {', '.join(TRUNCATED)}"
            )
        self.max_pixels = positive(max_pixels, "images.max_pixels")
        self.archives = list(archives)
        self._index: ArchiveIndex = index_archives(self.archives, wanted, cache)
        self.passed_over: PassedOver = self._index.passed_over
        self._files: OrderedDict[int, FileIO] = OrderedDict()
        label = self.archives[0]
        if len(self.archives) > 1:
            label += f" and {len(self.archives) - 1} more"
        if self.passed_over.broken and truncated == "error":
            broken = "; ".join(f"{name}: {why}" for name, why in self.passed_over.broken.items())
            raise ArchiveError(
                f"{len(self.passed_over.broken)} of {len(self.archives)} archives are not whole: "
                f"{broken}. Get them again, or set images.truncated='use' to train on the "
                f"{len(self)} images that are intact."
            )
        if not len(self):
            reasons = f": {self.passed_over}" if self.passed_over.count() else ""
            raise no_images(
                f"{label} (images.{key} in the recipe) holds no image that ends in "
                f"{', '.join(wanted.endings)}{reasons}.",
                hint,
            )
        self.passed_over.tell(label)

    def __len__(self) -> int:
        return len(self._index)

    def name(self, index: int) -> str:
        """Return archive and path of an image, ``ARCHIVE/PATH``."""
        path = os.fsdecode(self._index.names[index])
        return f"{self.archives[int(self._index.columns['archive'][index])]}/{path}"

    def read(self, index: int) -> bytes:
        """Return the undecoded content of an image.

        Raises:
            ImageReadError: the archive is gone, has changed or is damaged.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        try:
            archive = int(self._index.columns["archive"][index])
            return self._index.read(self._file(archive).fileno(), index)
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise ImageReadError(self.name(index), cause) from error
        except ValueError as error:
            raise ImageReadError(self.name(index), str(error)) from error

    def load(self, index: int) -> np.ndarray:
        """Read an image, (H, W, 3) uint8 RGB; see `decode_image`."""
        return decode_image(self.read(index), self.name(index), self.max_pixels)

    def _file(self, archive: int) -> FileIO:
        """Return an archive's file, opened when it is first needed in this process.

        A file that was open when the process forked serves both: positioned reads share nothing.
        """
        file = self._files.get(archive)
        if file is None:
            file = FileIO(self.archives[archive], "r")
            status = os.fstat(file.fileno())
            if [status.st_size, status.st_mtime_ns] != self._index.archives[archive][1:3]:
                raise ValueError("the archive changed after it was indexed; start again")
            self._files[archive] = file
            if len(self._files) > _OPEN:
                self._files.popitem(last=False)  # closed with its last reference
        else:
            self._files.move_to_end(archive)
        return file

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_files": OrderedDict()}


@DATASETS.register_module()
class ArchiveImages(ImagesInArchives):
    """Images in .tar and .zip files, for example the ten tars of PASS or the zip of Shaders1k.

    Archives come in the given order, each in the byte order of its members' paths: of one archive
    the order of `FolderImages` on the unpacked folder. They are scanned once and the index is
    cached (`mmpmg.datasets.archive_index`). Members that are no plain image files (links, encrypted
    ones, archives, paths that leave the folder, all but the last of one name) are passed over,
    counted and named in the log.

    Args:
        archives: a path, a pattern such as ``data/PASS.*.tar``, or a list of them. Files of one
            pattern come in byte order; a file that is named twice counts once.
        extensions: endings of members that count, in any case.
        category: what an image's category is: the ``"folder"`` that it lies in, also across
            archives; or its ``"archive"``.
        truncated: what to do about a tar that was cut short or is damaged: ``"error"``; or
            ``"use"`` what lies before the damage, with a warning. A zip has its directory at its
            end, without which nothing can be used.
        cache: True: index cached in the user's cache folder; a folder to use instead; False: scan
            at every start.
        max_pixels: images with more pixels are decoded smaller or refused (`read_image`).
        hint: what to do when there are no images; ends the error message.

    Raises:
        FileNotFoundError: there is no such archive, or no image in any.
        ValueError: an option is illegal, or an archive is compressed as a whole, broken or none.
    """

    def __init__(
        self,
        archives: str | Sequence[str],
        extensions: Sequence[str] = IMAGE_EXTENSIONS,
        category: str = "folder",
        truncated: str = "error",
        cache: bool | str = True,
        max_pixels: int = MAX_PIXELS,
        hint: str | None = None,
    ) -> None:
        if category not in _CATEGORIES:
            raise ValueError(
                f"images.category={category!r}: must be one of {', '.join(_CATEGORIES)}"
            )
        self.category = category
        patterns = [archives] if isinstance(archives, str) else list(archives)
        super().__init__(
            matching_files(patterns, "archives", hint),
            Wanted(endings(extensions)), truncated, cache, max_pixels, hint, "archives",
        )  # fmt: skip

    def categories(self) -> np.ndarray:
        """Return the category of every image, (N,) int32: its folder or its archive."""
        column = "category" if self.category == "folder" else "archive"
        return np.array(self._index.columns[column])


def endings(extensions: Sequence[str]) -> tuple[str, ...]:
    """Return file name endings in lower case with their dot.

    Raises:
        ValueError: there are none, or they are one string.
    """
    if isinstance(extensions, str) or not extensions:
        raise ValueError(
            f"images.extensions={extensions!r}: must be a list such as ['.jpg', '.png']"
        )
    return tuple("." + ending.lower().lstrip(".") for ending in extensions)


def matching_files(patterns: Sequence[str], key: str, hint: str | None = None) -> list[str]:
    """Return the files that paths and glob patterns name, each once.

    Args:
        patterns: paths or patterns; a file whose very name looks like a pattern is taken as it is.
        key: name of the recipe key, below ``images``.
        hint: what to do when a file is missing.

    Returns:
        The files, pattern by pattern, of each in byte order.

    Raises:
        FileNotFoundError: a path does not exist, or a pattern matches nothing.
        ValueError: there is no pattern at all.
    """
    if not patterns:
        raise ValueError(f"images.{key} is empty: name at least one archive")
    files: dict[str, str] = {}
    missing = []
    for pattern in patterns:
        path = os.path.expanduser(pattern)
        found = [path] if os.path.exists(path) else glob.glob(path, recursive=True)
        found = [file for file in found if os.path.isfile(file)]
        if not found:
            missing.append(pattern)
        for file in sorted(found, key=os.fsencode):
            files.setdefault(os.path.realpath(file), file)
    if missing:
        raise no_images(
            f"{len(missing)} of the {len(patterns)} archives of images.{key} in the recipe do not "
            f"exist, for example {', '.join(missing[:3])}.",
            hint,
        )
    return list(files.values())
