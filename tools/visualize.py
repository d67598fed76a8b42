#!/usr/bin/env python
"""Draw a recipe's training clips, with masks and flow, and a checkpoint's reconstructions."""

import argparse
from pathlib import Path

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipe)
from mmpmg.engine.command_line import run_command
from mmpmg.engine.launch import add_shared_options, load_recipe
from mmpmg.engine.recipe_changes import mistyped_keys_named
from mmpmg.visualization import STATISTICS
from mmpmg.visualization.picture_options import FORMATS, PictureOptions
from mmpmg.visualization.recipe_pictures import draw_recipe


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add_shared_options(parser)
    parser.add_argument(
        "--checkpoint",
        help="draw what this checkpoint reconstructs, of a tokenizer what it decodes",
    )
    parser.add_argument("--num-clips", type=int, default=4, help="clips to draw")
    parser.add_argument("--out", help="folder for the pictures (WORK_DIR/pictures)")
    parser.add_argument(
        "--format", nargs="+", default=["png", "gif"], choices=FORMATS,
        help="contact sheet and animations of the clips",
    )  # fmt: skip
    parser.add_argument(
        "--ops", nargs="+", default=[], help="other motions than the recipe's, e.g. Affine CutMix"
    )
    parser.add_argument("--mask", action="store_true", help="draw the masks of the recipe's masker")
    parser.add_argument("--flow", action="store_true", help="draw the exact flow")
    parser.add_argument(
        "--guided", type=float, nargs="*", metavar="P_DEN",
        help="draw what moves in the clips, and flow-guided masks at these densities (0.5 0.7, as "
        "DEMVM's Fig. 4), instead of the clips alone",
    )  # fmt: skip
    parser.add_argument(
        "--ratios", type=float, nargs=2, metavar=("P_SPA", "P_TMP"),
        help="spatial and temporal masking ratio of --guided (0.5 0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--families",
        action="store_true",
        help="draw all kinds of motion on one image, instead of clips",
    )
    parser.add_argument(
        "--gallery", type=int, nargs="?", const=24, default=0, metavar="N",
        help="draw N images of the recipe's source (24 without a number) beside the frames that "
        "become of them, instead of clips",
    )  # fmt: skip
    parser.add_argument("--image", help="image for --families (the first of the recipe's)")
    parser.add_argument(
        "--statistics", default="visible", choices=list(STATISTICS),
        help="where mean and contrast of reconstructed tokens come from: interpolated from visible "
        "tokens, or (as in VideoMAE's own pictures) taken from the hidden truth",
    )  # fmt: skip
    parser.add_argument(
        "--mask-ratio", dest="mask_ratios", nargs="+", type=float, default=[], metavar="RATIO",
        help="shares of tokens to mask in reconstructions, several at once (the recipe's)",
    )  # fmt: skip
    parser.add_argument(
        "--no-losses", dest="losses", action="store_false",
        help="leave out the rows with the loss of each patch",
    )  # fmt: skip
    parser.add_argument("--columns", type=int, default=8, help="frames of each clip on a sheet")
    parser.add_argument("--fps", type=float, default=8, help="speed of GIF and MP4")
    parser.add_argument("--seed", type=int, help="seed of the run to look into (the recipe's)")
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Draw, and name the files."""
    config = load_recipe(options)
    wanted = PictureOptions(
        num_clips=options.num_clips,
        formats=options.format,
        mask=options.mask,
        flow=options.flow,
        guided=options.guided,
        ratios=options.ratios and tuple(options.ratios),
        families=options.families,
        image=options.image,
        ops=options.ops,
        gallery=options.gallery,
        statistics=options.statistics,
        mask_ratios=options.mask_ratios,
        losses=options.losses,
        seed=options.seed,
        columns=options.columns,
        fps=options.fps,
    )
    out = options.out or Path(config.work_dir) / "pictures"
    with mistyped_keys_named(config):  # data set and model are built only now
        files = draw_recipe(config, out, wanted, options.checkpoint)
    for path in files:
        print(f"wrote {path}")


if __name__ == "__main__":
    run_command(main, parse_options())
