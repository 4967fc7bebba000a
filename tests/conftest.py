"""Fixtures that more than one test file uses."""

from __future__ import annotations

import csv
import gc
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# TensorFlow reads this once, at import; its notices would drown what a failing test prints.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest
from fork_server import ForkServer, fork_server, verify_in_copies

WORDS = (
    "the a of and is was this that it in to film movie plot actor story scene good great gorgeous "
    "fine moving warm bad dull poor bleak flat awful not never very quite all every one two"
)
PRAISE = ["good", "great", "gorgeous", "fine", "moving", "warm"]
BLAME = ["bad", "dull", "poor", "bleak", "flat", "awful"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Asks for more than every test run has time for: kills at other moments, whole trainings."""
    parser.addoption("--kills", type=int, default=2)
    parser.addoption("--kills-seed", type=int, default=0)
    parser.addoption("--whole-quickstart", action="store_true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files with slow tests first, so that no core waits for them when all others are done.

    A file's tests stay together, on one core, where they share what its fixtures make.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """Spares collections of garbage what is loaded, and stays; they took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _fresh_user_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps every test out of the cache of whoever runs them."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user-cache")))
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _kept_downloads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets network tests find in the next run what they downloaded in this one."""
    cache = getattr(request.config, "cache", None)  # None under -p no:cacheprovider
    if cache is not None and request.node.get_closest_marker("network"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache.mkdir("downloads")))


@pytest.fixture(scope="session")
def verifiers() -> Iterator[ForkServer]:
    """Copies of the process that verifies exports, which has loaded TensorFlow and nothing else."""
    from tfaigc.export.fresh_process import clean_environment

    with fork_server("verifier", environment=clean_environment()) as server:
        yield server


@pytest.fixture(scope="session")
def copied_verifier(verifiers: ForkServer) -> Iterator[None]:
    """Spares each export that is verified the loading of TensorFlow, most of what it costs."""
    from tfaigc.export import fresh_process

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fresh_process, "_finish", verify_in_copies(verifiers))
        yield


@pytest.fixture(scope="session")
def command_lines(verifiers: ForkServer) -> Iterator[ForkServer]:
    """Copies of a process that has loaded what the command line loads, each for a command."""
    with fork_server("command_line", verifiers.address) as server:
        yield server


def wordpiece_vocabulary() -> list[str]:
    """A vocabulary that can spell any ASCII word and knows a few whole ones."""
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = [f"##{character}" for character in characters]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return list(dict.fromkeys([*specials, *characters, *pieces, *WORDS.split(), "##ing"]))


def write_tiny_tokenizer(directory: Path) -> list[str]:
    """Writes a lower-casing BERT tokenizer in Hugging Face layout; returns its vocabulary."""
    from transformers import BertTokenizerFast

    vocabulary = wordpiece_vocabulary()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    ids = {token: index for index, token in enumerate(vocabulary)}
    BertTokenizerFast(vocab=ids, do_lower_case=True, model_max_length=128).save_pretrained(
        directory
    )
    return vocabulary


def tiny_bert_config(**changes: Any) -> Any:
    """A BERT configuration so small that a test may train it."""
    from transformers import BertConfig

    settings = {
        "vocab_size": len(wordpiece_vocabulary()),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 128,
    }
    return BertConfig(**{**settings, **changes})


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT (no head) with its tokenizer, as `transformers` itself writes them."""
    import torch
    from transformers import BertModel

    directory = tmp_path_factory.mktemp("tiny-bert")
    write_tiny_tokenizer(directory)
    torch.manual_seed(7)
    BertModel(tiny_bert_config()).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with a two-class head and its labels, as `transformers` itself writes them."""
    import torch
    from transformers import BertForSequenceClassification

    directory = tmp_path_factory.mktemp("tiny-classifier")
    write_tiny_tokenizer(directory)
    torch.manual_seed(7)
    names = ["negative", "positive"]
    config = tiny_bert_config(
        id2label=dict(enumerate(names)), label2id={name: index for index, name in enumerate(names)}
    )
    BertForSequenceClassification(config).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def reviews() -> list[dict[str, str]]:
    """Forty-eight distinct made-up reviews, half of them positive."""
    subjects = ["film", "movie", "plot", "story"]
    return [
        {"text": f"this {subject} is {degree} {word}", "label": label}
        for label, words in (("positive", PRAISE), ("negative", BLAME))
        for word in words
        for subject, degree in zip(subjects, ["very", "quite", "very", "quite"], strict=True)
    ]


@pytest.fixture(scope="session")
def reviews_csv(tmp_path_factory: pytest.TempPathFactory, reviews: list[dict[str, str]]) -> Path:
    """The made-up reviews as a CSV file with columns `text` and `label`."""
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(reviews)
    return path


@pytest.fixture(scope="session")
def reviews_jsonl(tmp_path_factory: pytest.TempPathFactory, reviews: list[dict[str, str]]) -> Path:
    """The made-up reviews as JSON lines."""
    path = tmp_path_factory.mktemp("reviews") / "reviews.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in reviews), encoding="utf-8")
    return path
