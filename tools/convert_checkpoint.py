#!/usr/bin/env python
r"""Convert weights: mmpmg, MMAction2, Hugging Face's and the official VideoMAE, timm's 2D ViTs.

    tools/convert_checkpoint.py work_dirs/pmg/vit-b_shaders1k/epoch_2000.pth hf/vit-b --check
    tools/convert_checkpoint.py videomae-base pretrained.pth       # a folder of Hugging Face's
    tools/convert_checkpoint.py checkpoint-1599.pth encoder.pth --to encoder

The format of the source is told from its keys, and what became of every weight is printed.
docs/weights.md has a table of all ways in and out.
"""

import argparse
import sys

import mmpmg  # noqa: F401  (mends the stack before the checkpoint is read)
from mmpmg.engine.checkpoint_conversion import DEFAULT, ConversionOptions, convert_checkpoint
from mmpmg.engine.command_line import run_command
from mmpmg.models.conversion import FORMATS
from mmpmg.models.conversion.inflation import PATCHES, POSITIONS


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("source", help=".pth, .pt, .safetensors, or a folder of Hugging Face")
    parser.add_argument("out", help=".pth or .safetensors; for hf-* a folder")
    usual = "; ".join(f"{source} to {to}" for source, to in DEFAULT.items())
    parser.add_argument("--to", choices=list(FORMATS), help=f"format to write ({usual})")
    parser.add_argument("--recipe", help="recipe of our side, for its heads and clips")
    parser.add_argument("--branch", help="of a pretrainer with several, the one to convert")
    parser.add_argument("--check", action="store_true", help="run both models on random clips")
    sizes = parser.add_argument_group("what weights do not tell, where no file or recipe does")
    sizes.add_argument("--heads", type=int, help="attention heads (by the width, as VideoMAE)")
    sizes.add_argument("--decoder-heads", type=int, help="of the decoder")
    sizes.add_argument("--num-frames", type=int, help="of the clips it was trained on (16)")
    sizes.add_argument("--image-size", type=int, help="their side in pixels (224)")
    target = parser.add_argument_group("clips of another size: positions are computed or resized")
    target.add_argument("--to-num-frames", type=int, help="frames (the source's)")
    target.add_argument("--to-image-size", type=int, help="side in pixels (the source's)")
    image = parser.add_argument_group("2D ViTs of timm, which are inflated")
    image.add_argument("--patches", choices=list(PATCHES), default="mean", help="see docs (mean)")
    image.add_argument(
        "--positions", choices=list(POSITIONS), default="image+time", help="see docs (image+time)"
    )
    return parser.parse_args()


def main(options: argparse.Namespace) -> int:
    """Convert; the exit status is 1 when the two models differ."""
    chosen = ConversionOptions(**vars(options))
    _, check = convert_checkpoint(chosen, tell=lambda text: print(text, flush=True))
    return 0 if check is None or check.passed else 1


if __name__ == "__main__":
    sys.exit(run_command(main, parse_options()))
