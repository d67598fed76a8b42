"""What a data worker spends on a clip that the device will render, beside decoding its JPEG."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmpmg.datasets.generated_images import ShaderImages
from mmpmg.evaluation.timing import (
    alternate,
    limited_threads,
    markdown_table,
    notes,
    ratios,
    spread,
)

RECIPE = Path(__file__).parents[2] / "configs" / "pmg" / "vit-b_shaders1k.py"
SIDES = (256, 384, 512)
IMAGES = 64
QUALITY = 95
HEAD = ["JPEG files", "kB each", "way of making a clip", "ms a clip", "in decodings (min to max)"]
CUTMIX = dict(_delete_=True, cutmix=dict(type="CutMix"))
QUEUE = "handing a deferred clip to the trainer, of 32"


def write_images(folder: Path, side: int, count: int = IMAGES) -> list[Path]:
    """Write shader images as JPEG files, as the makers of Shaders1k write theirs.

    Their public script renders squares of up to 512 pixels and writes them by ``cv2.imwrite``,
    whose quality is 95.

    Args:
        folder: Where; it is made.
        side: Pixels.
        count: How many.

    Returns:
        The files.
    """
    source = ShaderImages(num_categories=count, images_per_category=1, size=side)
    folder.mkdir(parents=True)
    files = [folder / f"{number:06d}.jpg" for number in range(count)]
    for number, file in enumerate(files):
        bgr = cv2.cvtColor(source.load(number), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(file), bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return files


def build_dataset(folder: Path, **motion: Any) -> Any:
    """Build the data set of the main recipe over a folder of images.

    Args:
        folder: With images in it.
        motion: Changes to the recipe's ``PMGPipeline``.
    """
    recipe = Config.fromfile(str(RECIPE))
    recipe.merge_from_dict(
        {
            "train_dataloader.dataset": dict(
                images=dict(root=str(folder), cache=False),
                num_images=None,
                subset="first",
                pipeline=dict(motion=motion),
            )
        }
    )
    init_default_scope("mmaction")
    dataset = DATASETS.build(recipe.train_dataloader.dataset)
    dataset.seed_sample.bind(run_seed=0, stream=0)
    return dataset


def decode(file: Path) -> np.ndarray:
    """Decode a JPEG and nothing else: OpenCV's own order of colours, no check of the file."""
    return np.asarray(cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR))


def hand_over(clips: Sequence[Any]) -> int:
    """Put a batch into the form in which it leaves a worker: shared memory, and a pickled rest.

    Returns:
        Bytes of the pickled rest.
    """
    return len(ForkingPickler.dumps(pseudo_collate(clips)))


def time_parts(dataset: Any, rounds: int) -> dict[str, float]:
    """Time the parts of a sample, inside the whole: the caches are as they are in a worker.

    Args:
        dataset: Of :func:`build_dataset`. Its source and transforms are wrapped for good.
        rounds: Times that every image is taken.

    Returns:
        Part -> median microseconds; "the rest" is what the others do not account for.
    """
    laps: dict[str, list[float]] = {}

    def timed(name: str, work: Callable) -> Callable:
        def run(*arguments: Any) -> Any:
            start = time.thread_time()
            result = work(*arguments)
            laps.setdefault(name, []).append(time.thread_time() - start)
            return result

        return run

    dataset.source.load = timed("reading and decoding", dataset.source.load)
    dataset.pipeline.transforms = [
        timed(type(part).__name__, part) for part in dataset.pipeline.transforms
    ]
    whole = timed("whole", dataset.__getitem__)
    for number in range(rounds * len(dataset)):
        whole(number % len(dataset))
    medians = {name: 1e6 * spread(values).median for name, values in laps.items()}
    medians["the rest"] = 2 * medians["whole"] - sum(medians.values())
    return medians


def _sides(files: Sequence[Path]) -> Mapping[str, Callable[[int], object]]:
    folder = files[0].parent
    deferred = build_dataset(folder, deferred=True)
    clips = [deferred[number] for number in range(min(32, len(files)))]

    def over(work: Callable[[int], object]) -> Callable[[int], object]:
        return lambda _: [work(number) for number in range(len(files))]

    sides = {
        "decoding alone": over(lambda number: decode(files[number])),
        "deferred": over(deferred.__getitem__),
        "rendered by the worker": over(build_dataset(folder, deferred=False).__getitem__),
        "deferred, CutMix (two images)": over(
            build_dataset(folder, deferred=True, ops=CUTMIX).__getitem__
        ),
    }
    # As often as there are images, to be comparable with the others.
    share = len(files) / len(clips)
    sides[QUEUE] = lambda _: [hand_over(clips) for _ in range(round(share))]
    return sides


def benchmark_worker(repeats: int, sides: Sequence[int] = SIDES, images: int = IMAGES) -> str:
    """Compare the CPU time of a deferred clip with that of decoding its JPEG: two Markdown tables.

    The whole pipeline of ``configs/pmg/vit-b_shaders1k.py`` runs: reading, decoding, crop, resize,
    flip, drawing the motion, layout, packing. One thread, files in the page cache.

    Args:
        repeats: Rounds, >= 1.
        sides: Of the square images, in pixels.
        images: Files of each size, a multiple of 32 or fewer.
    """
    rows, found, parts = [], [], []
    with limited_threads(1), tempfile.TemporaryDirectory() as folder:
        cv2.setNumThreads(0)
        for side in sides:
            files = write_images(Path(folder) / str(side), side, images)
            size = sum(file.stat().st_size for file in files) / len(files) / 1000
            ways = _sides(files)
            timings = alternate(ways, repeats, warmup=1, clock=time.thread_time)
            for name in ways:
                milliseconds = 1000 * spread(timings[name]).median / len(files)
                cost = ratios(timings, "decoding alone", name)
                if name != QUEUE:  # next to nothing, so any disturbance is large beside it
                    found.append(cost)
                rows.append([f"{side}²", f"{size:.0f}", name, f"{milliseconds:.2f}", str(cost)])
            parts.append(time_parts(build_dataset(files[0].parent, deferred=True), repeats))
    names = [name for name in parts[0] if name != "whole"] + ["whole"]
    table = [[name, *(f"{part[name]:.0f}" for part in parts)] for name in names]
    head = ["part of a deferred sample", *(f"{side}², µs" for side in sides)]
    title = f"CPU time of a data worker for one clip, {repeats} rounds of {images} images"
    compared = f"{markdown_table(HEAD, rows)}{notes(found)}"
    return f"### {title}\n\n{compared}\n\n{markdown_table(head, table)}"
