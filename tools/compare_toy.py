#!/usr/bin/env python
"""Scratch, motionless and pseudo-motion pre-training on gestures: the table of the README.

With --arms also VideoMAE, MotionMAE and MotionMAE on exact flow, on the same clips
(docs/motionmae.md), and random against flow-guided masking in DEMVM (docs/demvm.md); those two with
--shots 2 also probed, on two labelled videos a class.

An hour or more on two free CPU cores; it can be stopped and called again. Needs data/gestures
(annotation files fold0_train.txt ... fold3_test.txt beside videos/); data/images_bsds500/images for
the arms of photographs; for DEMVM what configs/tokenizer/vqvae3d_toy_photographs.py has trained.
"""

import argparse
from pathlib import Path

from mmpmg.datasets.preparation import SubsetOptions, make_subsets
from mmpmg.engine.command_line import run_command
from mmpmg.evaluation.comparison import Arm, FoldLists, compare
from mmpmg.typed import recipe

VIT = recipe("finetune/vit-toy_gestures.py")
SWIN = recipe("finetune/swin-toy_gestures.py")
PROBES = {SWIN: recipe("linear_probe/swin-toy_gestures_2-shot.py")}
ARMS = {
    "scratch": Arm(None, VIT),
    "photographs-identity": Arm(recipe("pmg/vit-toy_photographs_identity.py"), VIT),
    "photographs-pmg": Arm(recipe("pmg/vit-toy_photographs.py"), VIT),
    "generated-pmg": Arm(recipe("pmg/vit-toy_generated.py"), VIT),
    # These three see the same clips, unmixed.
    "photographs-unmixed": Arm(recipe("pmg/vit-toy_photographs_unmixed.py"), VIT),
    "photographs-motionmae": Arm(recipe("motionmae/vit-toy_photographs.py"), VIT),
    "photographs-exact-flow": Arm(recipe("motionmae/vit-toy_photographs_exact-flow.py"), VIT),
    # A Swin; these two see the same clips, the videos that they are fine-tuned on.
    "swin-scratch": Arm(None, SWIN),
    "demvm-random": Arm(recipe("demvm/swin-toy_gestures_random.py"), SWIN, own_videos=True),
    "demvm-flow-guided": Arm(recipe("demvm/swin-toy_gestures.py"), SWIN, own_videos=True),
}
README_ARMS = list(ARMS)[:4]
LISTS = FoldLists("data/gestures/fold{fold}_train.txt", "data/gestures/fold{fold}_test.txt")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--out", type=Path, default="work_dirs/compare_toy", help="folder for runs")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3], help="folds to run")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=README_ARMS)
    parser.add_argument(
        "--shots",
        type=int,
        choices=[2],
        help="linear probing on so many videos a class (without it fine-tuning on all)",
    )
    options = parser.parse_args()
    if options.shots:
        unfit = [arm for arm in options.arms if ARMS[arm].recognize not in PROBES]
        if unfit:
            fit = [name for name, arm in ARMS.items() if arm.recognize in PROBES]
            parser.error(f"--shots with {', '.join(unfit)}: only with --arms {' '.join(fit)}")
    return options


def main(options: argparse.Namespace) -> None:
    """Run what is missing, and print the table."""
    arms, lists, protocol = {name: ARMS[name] for name in options.arms}, LISTS, ""
    if options.shots:
        protocol = f"{options.shots}-shot"
        arms = {name: arm._replace(recognize=PROBES[arm.recognize]) for name, arm in arms.items()}
        for fold in options.folds:
            source, out = Path(LISTS.train.format(fold=fold)), options.out / f"lists_fold{fold}"
            make_subsets(SubsetOptions(source, shots=[options.shots], out=out))
        lists = lists._replace(
            labelled=f"{options.out}/lists_fold{{fold}}/few_shot/{protocol}_seed0.txt"
        )
    print(compare(arms, options.folds, lists, options.out, protocol))


if __name__ == "__main__":
    run_command(main, parse_options())
