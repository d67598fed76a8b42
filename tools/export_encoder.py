#!/usr/bin/env python
"""Take the encoder out of a pre-training checkpoint, as a file for load_from in fine-tuning."""

import argparse

import mmpmg  # noqa: F401  (mends the stack before the checkpoint is read)
from mmpmg.engine.command_line import run_command
from mmpmg.engine.encoder_export import export_encoder


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("checkpoint", help="checkpoint of a pre-training run")
    parser.add_argument("out", help="file to write, e.g. encoder.pth")
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Write the encoder, and name the file."""
    print(f"encoder written to {export_encoder(options.checkpoint, options.out)}")


if __name__ == "__main__":
    run_command(main, parse_options())
