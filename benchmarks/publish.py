"""Puts the tables of a measurement into the READMEs, between their markers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.contenders import BENCHMARKS, CHECKOUT
from harness.summary import to_markdown

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
# Fewer runs of each contender do not make a median worth quoting.
LEAST_PAIRS = 5
# Fewer training rows would measure the first steps more than the rest.
LEAST_ROWS = 1000


def fill(page: str, tables: str) -> str:
    """Replaces what stands between the markers.

    Example:
        >>> fill(f"a {BEGIN} old {END} b", "new").splitlines()
        ['a <!-- benchmarks: begin -->', 'new', '<!-- benchmarks: end --> b']
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"A page must have the lines {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{tables.strip()}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fills both READMEs.

    Returns:
        The exit status: 2 where the results are not fit to be quoted.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, help="results.json of a run")
    results = json.loads(parser.parse_args(arguments).results.read_text(encoding="utf-8"))
    contenders = {run["contender"] for run in results["runs"]}
    counts = [sum(run["contender"] == name for run in results["runs"]) for name in contenders]
    rows, runs = results["train_rows"], min(counts, default=0)
    if results["failures"] or rows < LEAST_ROWS or runs < LEAST_PAIRS:
        print(
            f"Results must be of at least {LEAST_ROWS} training rows, {LEAST_PAIRS} runs of each "
            f"contender, without failures. Received: {rows} rows, {runs} runs, "
            f"{len(results['failures'])} failures. Run benchmarks/run.py again.",
            file=sys.stderr,
        )
        return 2
    for page in (BENCHMARKS / "README.md", CHECKOUT / "README.md"):
        page.write_text(
            fill(page.read_text(encoding="utf-8"), to_markdown(results)), encoding="utf-8"
        )
        print(f"Wrote {page.relative_to(CHECKOUT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
