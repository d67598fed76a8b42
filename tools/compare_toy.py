#!/usr/bin/env python
"""Scratch, motionless and pseudo-motion pre-training on gestures: the table of the README.

With --arms also VideoMAE, MotionMAE and MotionMAE on exact flow, on the same clips
(docs/motionmae.md).

An hour on two free CPU cores; it can be stopped and called again. Needs data/gestures (annotation
files fold0_train.txt ... fold3_test.txt beside videos/) and data/images_bsds500/images.
"""

import argparse
from pathlib import Path

from mmpmg.evaluation.comparison import compare

ARMS = {
    "scratch": None,
    "photographs-identity": "configs/pmg/vit-toy_photographs_identity.py",
    "photographs-pmg": "configs/pmg/vit-toy_photographs.py",
    "generated-pmg": "configs/pmg/vit-toy_generated.py",
    # These three see the same clips, unmixed.
    "photographs-unmixed": "configs/pmg/vit-toy_photographs_unmixed.py",
    "photographs-motionmae": "configs/motionmae/vit-toy_photographs.py",
    "photographs-exact-flow": "configs/motionmae/vit-toy_photographs_exact-flow.py",
}
README_ARMS = list(ARMS)[:4]


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--out", type=Path, default="work_dirs/compare_toy", help="folder for runs")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3], help="folds to run")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=README_ARMS)
    return parser.parse_args()


if __name__ == "__main__":
    options = parse_options()
    print(
        compare(
            {arm: ARMS[arm] for arm in options.arms},
            "configs/finetune/vit-toy_gestures.py",
            options.folds,
            "data/gestures/fold{fold}_{part}.txt",
            options.out,
        )
    )
