#!/usr/bin/env python
"""Draw what several pre-trained models reconstruct of the same clips, with their losses."""

import argparse

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipe)
from mmpmg.engine.command_line import run_command
from mmpmg.engine.launch import recipe_file
from mmpmg.engine.recipe_changes import RecipeChanges, mistyped_keys_named
from mmpmg.visualization import STATISTICS
from mmpmg.visualization.model_comparison import ClipChoice, ModelChoice, compare_reconstructions


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model", nargs=3, action="append", required=True,
        metavar=("NAME", "RECIPE", "CHECKPOINT"), help="a model to draw; repeat it for others",
    )  # fmt: skip
    parser.add_argument(
        "--cfg-options", nargs="+", action=RecipeChanges, default={}, metavar="KEY=VALUE",
        help="changes to the recipes, to each by what it has, e.g. "
        "model.branches.token.head.target.checkpoint=FILE for another tokenizer; the recipe in a "
        "run's work dir has those of its training already",
    )  # fmt: skip
    parser.add_argument(
        "--videos", help="list of videos; without it, the training set of the first recipe"
    )
    parser.add_argument("--video-root", default="", help="folder that the list's paths start from")
    parser.add_argument("--num-clips", type=int, default=3, help="clips to draw (%(default)s)")
    parser.add_argument(
        "--interval", type=int, default=4, help="distance of frames in a video (%(default)s)"
    )
    parser.add_argument("--columns", type=int, default=8, help="frames of each clip (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of clips and masks (%(default)s)")
    parser.add_argument(
        "--statistics", default="visible", choices=list(STATISTICS),
        help="where mean and contrast of reconstructed tokens come from: interpolated from visible "
        "tokens, or (as in VideoMAE's own pictures) taken from the hidden truth (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--mask-ratio", dest="mask_ratios", nargs="+", type=float, default=[], metavar="RATIO",
        help="shares of tokens to mask, several at once, 0 to 1 (without it the recipe's); of "
        "FlowGuidedDenseMasker the spatial ratio, in all slots",
    )  # fmt: skip
    parser.add_argument(
        "--no-losses", dest="losses", action="store_false",
        help="leave out the rows with the loss of each patch (without it they are drawn)",
    )  # fmt: skip
    parser.add_argument(
        "--out", default="reconstructions.png", help="picture to write (%(default)s)"
    )
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Draw, and name the file."""
    clips = ClipChoice(
        options.videos, options.video_root, options.num_clips, options.interval, options.seed
    )
    models = [
        ModelChoice(name, str(recipe_file(recipe)), checkpoint)
        for name, recipe, checkpoint in options.model
    ]
    path = compare_reconstructions(
        models,
        clips,
        options.out,
        options.statistics,
        options.columns,
        options.mask_ratios,
        options.losses,
        options.cfg_options,
        mistyped_keys_named,
    )
    print(f"wrote {path}")


if __name__ == "__main__":
    run_command(main, parse_options())
