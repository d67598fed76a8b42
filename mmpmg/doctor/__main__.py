"""Print the state of the installed stack; exit status 1 when something needed is broken."""

from __future__ import annotations

import argparse
import json
import sys

from mmpmg.doctor.report import as_text, examine


def main() -> None:
    """Examine, print, and end with the verdict."""
    parser = argparse.ArgumentParser(
        prog="python -m mmpmg.doctor", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="for bug reports")
    options = parser.parse_args()
    report = examine()
    print(json.dumps(report.as_dict(), indent=2) if options.json else as_text(report))
    sys.exit(0 if report.healthy else 1)


if __name__ == "__main__":
    main()
