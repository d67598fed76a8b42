"""DAVIS: sequences of frames with a mask for every object in each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from pathlib import Path

from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset

from .davis_check import examine_sequence
from .image_decoding import ImageReadError
from .named_pipeline import in_order
from .object_masks import ANNOTATIONS, UNKNOWN_IDS, AnnotationError

_THREADS = 16  # they wait for a network file system as much as for a core
_SHOWN = 5  # faulty sequences in one message
_WHERE = (
    "DAVIS-2017-trainval-480p.zip from https://davischallenge.org/davis2017/code.html unpacks to "
    "the folder DAVIS; name it with test_dataloader.dataset.data_root"
)


@DATASETS.register_module()
class DAVISDataset(BaseDataset):
    """DAVIS-2017, or a folder laid out like it, one sequence a sample.

    Frames are ``JPEGImages/RESOLUTION/SEQUENCE/NNNNN.jpg``, masks
    ``Annotations/RESOLUTION/SEQUENCE/NNNNN.png``; the first mask is given to the model, the others
    are the truth. A sample enters the pipeline with ``sequence``, ``filename`` (the folder of its
    frames), ``frame_files``, ``mask_files``, ``object_ids`` (1, 2, ...), ``binary_masks`` and
    ``unknown_ids``; `LoadSequence` reads them. Every file is decoded once when the dataset is
    built, so that a faulty one is found before the first sequence runs and not after an hour.

    Args:
        data_root: Folder that holds ``JPEGImages``, ``Annotations`` and ``ImageSets``.
        pipeline: Recipes of transforms, a list or a dict from a name to each, see `in_order`.
        sequences: A list's file, relative to ``data_root``, with a sequence or (as in DAVIS-2016)
            a frame's path a line; or the sequences' names.
        resolution: Folder of that name, ``480p`` or ``Full-Resolution``.
        annotations: What the masks' values mean: "ids"; "binary", which is 0 and 255 (DAVIS-2016);
            "auto": binary if a sequence's first mask has no other values than these.
        unknown_ids: What becomes of ids that the sequence's first mask does not have, and of void
            pixels (255): an "error", or "background" as in DAVIS-2017's evaluation, which leaves
            out objects that appear later.
        metainfo: As in MMEngine's BaseDataset.
        test_mode: As in MMEngine's BaseDataset; nothing trains on it here.

    Raises:
        FileNotFoundError: A folder, the list, a sequence, a frame or a mask is missing.
        AnnotationError: Masks of another size than their frames, empty first masks, unknown ids,
            frames that do not open, sequences of fewer than 3 frames. The message names the files.
        ValueError: An option is illegal.
    """

    METAINFO = dict(dataset_type="DAVIS", task_name="video object segmentation")

    def __init__(
        self,
        data_root: str,
        pipeline: Sequence[dict | Callable] | Mapping[str, dict | Callable | None],
        sequences: str | Sequence[str] = "ImageSets/2017/val.txt",
        resolution: str = "480p",
        annotations: str = "auto",
        unknown_ids: str = "error",
        metainfo: dict | None = None,
        test_mode: bool = True,
    ) -> None:
        for name, value, allowed in (
            ("annotations", annotations, ANNOTATIONS),
            ("unknown_ids", unknown_ids, UNKNOWN_IDS),
        ):
            if value not in allowed:
                raise ValueError(f"dataset.{name}={value!r}: must be one of {', '.join(allowed)}")
        self.sequences = sequences
        self.resolution = resolution
        self.annotations = annotations
        self.unknown_ids = unknown_ids
        super().__init__(
            metainfo=metainfo,
            data_root=str(data_root),
            pipeline=in_order(pipeline),
            test_mode=test_mode,
        )

    def load_data_list(self) -> list[dict]:
        """Find the sequences and check them.

        Returns:
            What is known of each.

        Raises:
            FileNotFoundError: See the class.
            AnnotationError: See the class.
        """
        root = Path(self.data_root)
        if not root.is_dir():
            raise FileNotFoundError(f"no folder {root}, which dataset.data_root names. {_WHERE}")
        folders = [root / kind / self.resolution for kind in ("JPEGImages", "Annotations")]
        for folder in folders:
            if not folder.is_dir():
                there = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
                raise FileNotFoundError(
                    f"no folder {folder}: dataset.resolution={self.resolution!r}, and "
                    f"{folder.parent} has {', '.join(there) or f'nothing. {_WHERE}'}"
                )
        names = self._names(root)
        missing = [name for name in names if not (folders[0] / name).is_dir()]
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} of {len(names)} sequences (dataset.sequences) are not in "
                f"{folders[0]}, for example {', '.join(missing[:3])}. {_there(folders[0], missing)}"
            )
        with ThreadPoolExecutor(_THREADS) as pool:
            examined = list(pool.map(lambda name: self._examine(folders, name), names))
        faults = [one for one in examined if isinstance(one, Exception)]
        if faults:
            more = f"\n... and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
            absent = all(isinstance(one, FileNotFoundError) for one in faults)
            raise (FileNotFoundError if absent else AnnotationError)(
                f"{len(faults)} of {len(names)} sequences of {root} cannot be evaluated:\n"
                + "\n".join(str(one) for one in faults[:_SHOWN])
                + more
            )
        return [one for one in examined if isinstance(one, dict)]

    def _examine(self, folders: Sequence[Path], name: str) -> dict | Exception:
        """Return what is known of a sequence, or what is wrong with it."""
        frames, masks = (os.path.join(folder, name) for folder in folders)
        try:
            found = examine_sequence(frames, masks, self.annotations, self.unknown_ids)
        except (FileNotFoundError, AnnotationError, ImageReadError) as error:
            return error
        return dict(sequence=name, filename=frames, unknown_ids=self.unknown_ids, **found)

    def _names(self, root: Path) -> list[str]:
        """Return the sequences' names in order, each once."""
        if isinstance(self.sequences, str):
            file = root / self.sequences
            if not file.is_file():
                lists = sorted(str(one.relative_to(root)) for one in root.glob("ImageSets/*/*.txt"))
                raise FileNotFoundError(
                    f"no list {file}, which dataset.sequences names; there are: "
                    f"{', '.join(lists) or 'none'}. Sequences can be named as well: "
                    "dataset.sequences=[NAME,NAME]"
                )
            lines = [line.strip() for line in file.read_text().splitlines() if line.strip()]
            # DAVIS-2016 lists frames: /JPEGImages/480p/SEQUENCE/00000.jpg /Annotations/...
            frames = [Path(line.split()[0]) for line in lines]
            names = [
                frame.parent.name if frame.suffix == ".jpg" else line
                for frame, line in zip(frames, lines, strict=True)
            ]
        else:
            names = list(self.sequences)
        if not names:
            raise FileNotFoundError(f"dataset.sequences={self.sequences!r} names no sequence")
        return list(dict.fromkeys(names))


def _there(folder: Path, missing: Sequence[str]) -> str:
    """Say what sequences are there, those first whose names resemble a missing one."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    near = [one for name in missing[:3] for one in get_close_matches(name, names, n=2)]
    if near:
        return f"Near these names are {', '.join(dict.fromkeys(near))}"
    if not names:
        return f"No sequence is there. {_WHERE}"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"There are {', '.join(names[:_SHOWN])}{more}"
