"""Where stills come from: a folder tree or a list file.

Others are in `archive_images`, `webdataset_images`, `video_frames` and, for generators,
`generated_images`; `mixed_images` puts several together.

A source is a sequence of images, built from a recipe, for example
``images=dict(type="FolderImages", root="data/images")``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from mmaction.registry import DATASETS

from mmpmg import typed

from .file_check import CHECKS, missing_files
from .folder_index import index_folder
from .generated_images import positive
from .image_decoding import MAX_PIXELS, read_image
from .path_index import PathIndex

#: File name endings that count as images by default.
IMAGE_EXTENSIONS = (
    ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip


@runtime_checkable
class ImageSource(Protocol):
    """What `ImageToPseudoVideo` takes images from.

    One with an attribute ``endless`` that is true gives images beyond its length, too, and each
    further length of them has the categories of the first.
    """

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def load(self, index: int) -> np.ndarray:
        """Return image ``index``, (H, W, 3) uint8 RGB; raise `ImageReadError` if it is bad."""
        ...

    def name(self, index: int) -> str:
        """Return what to call image ``index`` in a log: its file, or what makes it again."""
        ...


@runtime_checkable
class CategorizedImages(ImageSource, Protocol):
    """A source whose images have categories."""

    def categories(self) -> np.ndarray:
        """Return the category of every image, (N,) int32, from 0."""
        ...


class ImageFiles:
    """Images in files: what `FolderImages` and `ListImages` have in common."""

    root: str
    max_pixels: int
    _paths: PathIndex

    def __len__(self) -> int:
        return len(self._paths)

    def name(self, index: int) -> str:
        """Return the file of an image."""
        return os.path.join(self.root, os.fsdecode(self._paths[index]))

    def categories(self) -> np.ndarray:
        """Return the category of every image, (N,) int32: the folder that it lies in."""
        folders: dict[bytes, int] = {}
        return np.fromiter(
            (
                folders.setdefault(os.path.dirname(self._paths[i]), len(folders))
                for i in range(len(self))
            ),
            np.int32,
            len(self),
        )

    def load(self, index: int) -> np.ndarray:
        """Read an image; see `read_image`."""
        return read_image(self.name(index), self.max_pixels)


@DATASETS.register_module()
class FolderImages(ImageFiles):
    """All images of a folder tree, in the byte order of their relative paths.

    The order is the same on every machine. Hidden files are passed over; links to folders are
    followed. The list of files is cached (`mmpmg.datasets.folder_index`).

    Args:
        root: the folder.
        extensions: file name endings that count, in any case.
        recursive: whether to descend into sub-folders.
        cache: True: list of files cached in the user's cache folder; a folder to use instead;
            False: scan at every start.
        max_pixels: images with more pixels are decoded smaller or refused (`read_image`).
        hint: what to do when there are no images; ends the error message.

    Raises:
        FileNotFoundError: there is no such folder, or there is no image in it.
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        root: str,
        extensions: Sequence[str] = IMAGE_EXTENSIONS,
        recursive: bool = True,
        cache: bool | str = True,
        max_pixels: int = MAX_PIXELS,
        hint: str | None = None,
    ) -> None:
        if isinstance(extensions, str) or not extensions:
            raise ValueError(
                f"images.extensions={extensions!r}: must be a list such as ['.jpg', '.png']"
            )
        self.root = os.path.expanduser(root)
        self.max_pixels = positive(max_pixels, "images.max_pixels")
        if not os.path.isdir(self.root):
            kind = "is not a folder" if os.path.exists(self.root) else "does not exist"
            raise no_images(f"The image folder {root} {kind} (images.root in the recipe).", hint)
        endings = tuple("." + ending.lower().lstrip(".") for ending in extensions)
        self._paths = index_folder(self.root, endings, recursive, cache)
        if not len(self._paths):
            raise no_images(
                f"The image folder {root} (images.root in the recipe) holds no file that ends in "
                f"{', '.join(endings)}{'' if recursive else ', sub-folders not counted'}.",
                hint,
            )


@DATASETS.register_module()
class ListImages(ImageFiles):
    """The images that a text file names, one path a line, in its order.

    A line is one path, spaces inside it included; blank lines are dropped. A path may come twice.

    Args:
        list_file: the text file.
        root: folder that relative paths start from.
        check: which files must exist before training starts: ``"all"`` (one look-up a line: about
            4 s for a million files on a local disk, minutes on a busy network), ``"sample"`` (1000
            spread over the list, and all of them as soon as one is missing), ``"none"``.
        max_pixels: images with more pixels are decoded smaller or refused (`read_image`).
        hint: what to do when the list or its files are missing; ends the error message.

    Raises:
        FileNotFoundError: the list is missing or empty, or names files that do not exist.
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        list_file: str,
        root: str = "",
        check: str = "sample",
        max_pixels: int = MAX_PIXELS,
        hint: str | None = None,
    ) -> None:
        if check not in CHECKS:
            raise ValueError(f"images.check={check!r}: must be one of {', '.join(CHECKS)}")
        self.list_file = os.path.expanduser(list_file)
        self.root = os.path.expanduser(root)
        self.max_pixels = positive(max_pixels, "images.max_pixels")
        if not os.path.isfile(self.list_file):
            raise no_images(
                f"The image list {list_file} does not exist (images.list_file in the recipe).", hint
            )
        with open(self.list_file, "rb") as file:
            self._paths = PathIndex.from_lines(file.read())
        count = len(self._paths)
        if not count:
            raise no_images(f"The image list {list_file} names no file.", hint)
        missing = missing_files(self.name, count, check)
        if missing:
            raise no_images(
                f"{len(missing)} of the {count} files that {self.list_file} names do not exist, "
                f"for example {', '.join(missing[:3])}. Relative paths start from "
                f"images.root={self.root!r}.",
                hint,
            )


def no_images(message: str, hint: str | None) -> FileNotFoundError:
    """Return the error for images that are not there, with the recipe's hint behind it."""
    return FileNotFoundError(f"{message} {typed.here(hint)}" if hint else message)
