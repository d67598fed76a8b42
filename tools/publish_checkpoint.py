#!/usr/bin/env python
r"""Make weights for others out of a training checkpoint: stripped, named by hash, with a card.

    tools/publish_checkpoint.py work_dirs/vit-b_ucf101/epoch_100.pth --out published

Writes NAME-HASH.pth, NAME-HASH.safetensors and NAME-HASH.md. Optimizer, schedulers, message hub
and the paths of the run are left out; recipe, classes and versions stay.
"""

import argparse

import mmpmg  # noqa: F401  (mends the stack before the checkpoint is read)
from mmpmg.engine.command_line import run_command
from mmpmg.engine.publishing import PublishOptions, publish


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("checkpoint", help=".pth, .pt, .safetensors, or a folder of Hugging Face")
    parser.add_argument("--out", required=True, help="folder to write into")
    parser.add_argument("--recipe", help="recipe file, in place of the one in the checkpoint")
    parser.add_argument("--name", help="start of the files' names (the recipe's)")
    parser.add_argument("--half", action="store_true", help="float16 in place of float32")
    parser.add_argument("--license", help="line for the card, such as 'CC-BY-4.0'")
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Publish, and name the files."""
    print(publish(PublishOptions(**vars(options))).text())


if __name__ == "__main__":
    run_command(main, parse_options())
