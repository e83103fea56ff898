"""Pictures of pages as a desk and a phone show them, to be looked at.

    python -m benchmarks.report_pictures PAGE.html ... --out FOLDER [--widths 1280 360] [--height 1000]

Each page is opened in a headless Chromium at each width; a circuit is chosen by a click, so that its panel is
seen. What the browser's console complains of is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chromium import browser
from flows.cli import EXIT_MISSING, EXIT_OK, run_command
from flows.run import write_bytes

WIDTHS = (1280, 360)
CIRCUITS = (".cards a", ".axis-plot.on a.mark:not(.out)")
"""What is clicked: the smallest circuit without loss, or, where the page names none, the first mark."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw every page at every width."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report_pictures", description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE.html")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS, metavar="PIXELS")
    parser.add_argument(
        "--height", type=int, metavar="PIXELS", help="of the first screen (default: the whole page)"
    )
    options = parser.parse_args(arguments)
    with browser() as page:
        for file in options.pages:
            for width in options.widths:
                page.open(file.resolve().as_uri(), width, options.height or 900)
                there = (mark for mark in CIRCUITS if page.run(f"document.querySelector({mark!r}) !== null"))
                if mark := next(there, None):
                    page.click(mark)
                place = options.out / f"{file.resolve().parent.name}-{file.stem}-{width}.png"
                write_bytes(place, page.picture(whole=options.height is None))
                print(place)
        for error in page.errors:
            print(f"console: {error}", file=sys.stderr)
        return EXIT_MISSING if page.errors else EXIT_OK


if __name__ == "__main__":
    sys.exit(run_command(main))
