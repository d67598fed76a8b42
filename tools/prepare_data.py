#!/usr/bin/env python
r"""Annotation files for MMAction2 from data sets as they are downloaded, and parts of them.

    tools/prepare_data.py ucf101                   # data/ucf101/{annotations,videos}
    tools/prepare_data.py hmdb51 testTrainMulti_7030_splits --videos /datasets/hmdb51
    tools/prepare_data.py kinetics400 --no-open --allow-missing
    tools/prepare_data.py mimetics --allow-missing # two clips a class to train on
    tools/prepare_data.py synapt uav_human --train uav/train.csv --val uav/val.csv
    tools/prepare_data.py subset data/ucf101/ucf101_train_split_1_videos.txt \
        --shots 1 5 10 25 50 --seed 0 1 2 --frame-difference

Everything is checked before the first list is written. docs/datasets.md says where to get what.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import mmpmg  # noqa: F401  (mends the stack before MMAction2 is imported)
from mmpmg.datasets.preparation import (
    FACTS,
    HMDB51,
    UCF101,
    Diving48,
    IkeaFA,
    Kinetics400,
    Mimetics,
    MiniSSv2,
    PathLabelLists,
    PreparationError,
    PreparationOptions,
    SSv2,
    SubsetOptions,
    UAVHuman,
    make_subsets,
    prepare,
)
from mmpmg.engine.image_generation.progress import Progress
from mmpmg.engine.stop_signals import sigterm_as_interrupt


def parse_options() -> dict[str, Any]:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--videos", type=Path, help="folder of the videos (DATASET/videos)")
    shared.add_argument("--out", type=Path, help="folder for the lists (DATASET)")
    shared.add_argument("--workers", type=int, default=0, help="processes (all cores)")
    shared.add_argument(
        "--allow-missing", action="store_true", help="leave out videos that are missing or broken"
    )
    shared.add_argument("--force", action="store_true", help="replace lists of other content")
    dataset = argparse.ArgumentParser(add_help=False, parents=[shared])
    dataset.add_argument("--root", type=Path, default=Path("data"), help="of all data sets (data)")
    dataset.add_argument(
        "--no-open", dest="open_videos", action="store_false",
        help="look only whether the videos exist, do not decode their first frames",
    )  # fmt: skip

    def add(name: str, text: str, folder: str = "") -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, parents=[dataset], allow_abbrev=False)
        if folder:
            command.add_argument(
                "annotations", type=Path, nargs="?", help=f"folder ({folder}/annotations)"
            )
        return command

    for name, folder in (("ucf101", "data/ucf101"), ("hmdb51", "data/hmdb51")):
        command = add(name, "the official splits", folder)
        command.add_argument(
            "--splits", type=int, nargs="+", choices=[1, 2, 3], default=[1, 2, 3], help="(1 2 3)"
        )
    add("diving48", "version 2", "data/diving48")
    add("ssv2", "Something-Something V2, all 174 classes", "data/ssv2")
    command = add("ssv2-mini", "87 classes of Something-Something V2", "data/ssv2_mini")
    command.add_argument(
        "--classes", type=Path, required=True, help="file of class names, or of path;label"
    )
    command = add("ikeafa", "by folder and name of the clips")
    command.add_argument(
        "--test-persons", type=int, nargs="+", default=[9, 11, 13], help="(9 11 13, as SynAPT)"
    )
    command = add("uav-human", "by name of the videos")
    command.add_argument(
        "--protocol", type=int, choices=[1, 2], default=1, help="cross-subject v1 (SynAPT's) or v2"
    )
    add("kinetics400", "the CSV lists", "data/kinetics400")
    command = add("mimetics", "a few clips a class, and the others", "data/mimetics")
    command.add_argument(
        "--shots", type=int, default=2, help="clips of each class to train on (2, as DEMVM)"
    )
    command.add_argument("--seed", dest="seeds", type=int, nargs="+", default=[0], help="(0)")
    command = add("synapt", "lists of path;label by SynAPT and PPMA")
    command.add_argument(
        "dataset", choices=list(FACTS), type=lambda name: name.replace("-", "_"),
        help="which data set they are of",
    )  # fmt: skip
    command.add_argument("--train", type=Path, help="list for training")
    command.add_argument("--val", type=Path, help="list for validation")

    command = commands.add_parser(
        "subset", help="parts of a list", parents=[shared], allow_abbrev=False
    )
    command.add_argument("source", type=Path, metavar="LIST", help="annotation file")
    command.add_argument("--shots", type=int, nargs="+", default=[], help="videos of each class")
    command.add_argument("--fractions", type=float, nargs="+", default=[], help="of each class")
    command.add_argument("--seed", dest="seeds", type=int, nargs="+", default=[0], help="(0)")
    command.add_argument(
        "--frame-difference", dest="by_frame_difference", action="store_true",
        help="halves of largest, medium and smallest difference of successive frames (Table 13)",
    )  # fmt: skip
    command.add_argument("--val", type=Path, help="list that must share no video (the one beside)")
    command.add_argument("--num-classes", type=int, help="(by classes.txt beside LIST, or labels)")
    command.add_argument(
        "--allow-fewer", action="store_true", help="take all of a class with too few videos"
    )
    return vars(parser.parse_args())


@sigterm_as_interrupt()
def main() -> None:
    """Do what the command line says; exit with 1 when that fails, 130 when it is stopped."""
    options = parse_options()
    for stream in (sys.stdout, sys.stderr):  # names of files may hold any bytes
        stream.reconfigure(errors="backslashreplace")
    command = options.pop("command")
    sources = {
        "ucf101": UCF101, "hmdb51": HMDB51, "diving48": Diving48, "ssv2": SSv2,
        "ssv2-mini": MiniSSv2, "ikeafa": IkeaFA, "uav-human": UAVHuman, "kinetics400": Kinetics400,
        "mimetics": Mimetics, "synapt": PathLabelLists,
    }  # fmt: skip

    def progress(count: int) -> Progress:
        return Progress(count, what="videos")

    try:
        if command == "subset":
            make_subsets(SubsetOptions(**options), progress=progress)
            return
        general = {
            key: options.pop(key) for key in list(options) if hasattr(PreparationOptions, key)
        }
        kind: Any = sources[command]
        if "annotations" in options and options["annotations"] is None:
            options["annotations"] = general["root"] / kind.facts.folder / "annotations"
        prepare(kind(**options), PreparationOptions(**general), progress=progress)
    except (PreparationError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; frame differences that were measured are kept", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
