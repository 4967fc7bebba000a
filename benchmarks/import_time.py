"""Measures what `import tfaigc` and `tfaigc --help` cost beyond a bare Python.

Run it with the Python in whose environment tfaigc is installed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from harness.machine import describe, in_words

COMMANDS = {
    "bare python": ["-c", "pass"],
    "import tfaigc": ["-c", "import tfaigc"],
    "tfaigc --help": ["-m", "tfaigc", "--help"],
}


def seconds(arguments: Sequence[str]) -> float:
    """Returns the wall time of a fresh interpreter with these arguments."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the medians of interleaved rounds as a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args(arguments).rounds
    if rounds < 1:
        parser.error(f"--rounds must be 1 or more. Received: {rounds}.")
    for command in COMMANDS.values():
        # The first start compiles modules and fills the disk's cache.
        seconds(command)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    bare = statistics.median(times["bare python"])
    print("| | median, s | beyond bare python, s | least to most, s |\n| --- | --- | --- | --- |")
    for name, series in times.items():
        middle = statistics.median(series)
        spread = f"{min(series):.3f} to {max(series):.3f}"
        print(f"| {name} | {middle:.3f} | {middle - bare:.3f} | {spread} |")
    print(f"\n{rounds} fresh processes each, interleaved; {in_words(describe())}.")


if __name__ == "__main__":
    main()
