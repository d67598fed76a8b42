#!/usr/bin/env python
r"""Write a generator's images to disk: class folders that FolderImages reads, with a manifest.

    tools/generate_images.py shaders --num 100000 --out data/generated/shaders

It can be stopped, also by force, and goes on when the same command is given again; a larger --num
adds images. Split over machines that share a disk, for example in a Slurm script:

    #SBATCH --array=0-7
    srun tools/generate_images.py shaders --num 1000000 --out data/generated/shaders \
        --workers $SLURM_CPUS_PER_TASK --shard $SLURM_ARRAY_TASK_ID/8

Shards count from 0. The last one to finish writes the manifest, the same as a single run's; where
a network file system hid that it was the last, --merge DIR does. `sha256sum -c --quiet
manifest.sha256` in the folder checks it too.
"""

import argparse
import sys

import mmpmg  # noqa: F401  (registers the generators)
from mmpmg.engine.image_generation import (
    FORMATS,
    SOURCES,
    GenerationError,
    GenerationOptions,
    InterruptedGeneration,
    generate,
    merge,
    verify,
)
from mmpmg.engine.recipe_changes import RecipeChanges


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("source", nargs="?", choices=list(SOURCES), help="the generator")
    parser.add_argument("--num", type=int, help="number of images")
    parser.add_argument("--out", help="folder for the images; new, empty, or begun before")
    parser.add_argument("--workers", type=int, default=0, help="processes (all cores)")
    parser.add_argument(
        "--shard", default="0/1", metavar="I/N", help="make only part I of N, 0/N to N-1/N"
    )
    parser.add_argument("--size", type=int, nargs="+", help="side, or height and width, in pixels")
    parser.add_argument("--seed", type=int, help="another seed gives other images")
    parser.add_argument("--num-categories", type=int, help="categories that the images are of")
    parser.add_argument("--format", choices=list(FORMATS), default="png", help="of the files (png)")
    parser.add_argument(
        "--options", nargs="+", action=RecipeChanges, default={}, metavar="KEY=VALUE",
        help="further arguments of the source, e.g. root=my_shaders",
    )  # fmt: skip
    parser.add_argument("--merge", metavar="DIR", help="write the manifest of finished shards")
    parser.add_argument("--verify", metavar="DIR", help="check a finished folder by its manifest")
    options = parser.parse_args()
    tasks = [options.source is not None, options.merge is not None, options.verify is not None]
    if sum(tasks) != 1:
        parser.error("say one of SOURCE, --merge DIR and --verify DIR")
    if options.source and (options.num is None or options.out is None):
        parser.error("--num and --out are needed")
    return options


def main() -> None:
    """Do what the command line says; exit with 1 when that fails, 130 when it is stopped."""
    options = vars(parse_options())
    merge_folder, verify_folder = options.pop("merge"), options.pop("verify")
    if options["size"] and len(options["size"]) == 1:
        options["size"] = options["size"][0]
    try:
        if verify_folder:
            verify(verify_folder, options["workers"])
        elif merge_folder:
            merge(merge_folder)
        else:
            generate(GenerationOptions(**options))
    except GenerationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, InterruptedGeneration) else 1)


if __name__ == "__main__":
    main()
