"""Puts the tables of a measurement into the READMEs that have markers for its data."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.contenders import BENCHMARKS, CHECKOUT
from harness.summary import to_markdown

# Fewer runs of each contender do not make a median worth quoting.
LEAST_PAIRS = 5
# Fewer optimizer steps would measure the first ones more than the rest.
LEAST_STEPS = 15


def fill(page: str, tables: str, data: str) -> str:
    """Replaces what stands between the markers of some data; without markers, nothing.

    Example:
        >>> page = "a <!-- benchmarks topics: begin --> old <!-- benchmarks topics: end --> b"
        >>> fill(page, "new", "topics").splitlines()
        ['a <!-- benchmarks topics: begin -->', 'new', '<!-- benchmarks topics: end --> b']
        >>> fill(page, "new", "reviews") == page
        True
    """
    begin, end = (f"<!-- benchmarks {data}: {place} -->" for place in ("begin", "end"))
    before, found, rest = page.partition(begin)
    if not found:
        return page
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"A page with {begin} must have {end}.")
    return f"{before}{begin}\n{tables.strip()}\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fills the READMEs.

    Returns:
        The exit status: 2 where the results are not fit to be quoted.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, help="results.json of a run")
    results = json.loads(parser.parse_args(arguments).results.read_text(encoding="utf-8"))
    contenders = {run["contender"] for run in results["runs"]}
    counts = [sum(run["contender"] == name for run in results["runs"]) for name in contenders]
    runs = min(counts, default=0)
    steps = min((run["figures"]["steps"] for run in results["runs"]), default=0)
    if results["failures"] or steps < LEAST_STEPS or runs < LEAST_PAIRS:
        print(
            f"Results must be of at least {LEAST_STEPS} steps, {LEAST_PAIRS} runs of each "
            f"contender, without failures. Received: {steps} steps, {runs} runs, "
            f"{len(results['failures'])} failures. Run benchmarks/run.py again.",
            file=sys.stderr,
        )
        return 2
    for page in (BENCHMARKS / "README.md", CHECKOUT / "README.md"):
        before = page.read_text(encoding="utf-8")
        filled = fill(before, to_markdown(results), results["data"])
        if filled != before:
            page.write_text(filled, encoding="utf-8")
            print(f"Wrote {page.relative_to(CHECKOUT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
