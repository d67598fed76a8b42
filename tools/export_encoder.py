#!/usr/bin/env python
"""Take the encoder out of a pre-training checkpoint, as a file for load_from in fine-tuning."""

import argparse

import mmpmg  # noqa: F401  (mends the stack before the checkpoint is read)
from mmpmg.engine.encoder_export import export_encoder


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("checkpoint", help="checkpoint of a pre-training run")
    parser.add_argument("out", help="file to write, e.g. encoder.pth")
    return parser.parse_args()


if __name__ == "__main__":
    options = parse_options()
    print(f"encoder written to {export_encoder(options.checkpoint, options.out)}")
