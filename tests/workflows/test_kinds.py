"""Recipes for other targets than one class: train, evaluate, predict."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from tfaigc.data import Table
from tfaigc.errors import DataError
from tfaigc.workflows.kinds import (
    ANSWERS_IF_ANY,
    CHOICES,
    EMBEDDINGS,
    IMAGES,
    NUMBERS,
    ONE_CLASS,
    SEVERAL_CLASSES,
    TAGS,
    TaskKind,
    kind_of_model,
)
from tfaigc.workflows.targets import Targets

pytestmark = pytest.mark.slow

Verb = Callable[..., Result]
Train = Callable[..., Result]
WORDS = ("good", "great", "bad", "awful")
TEXTS = [f"a {word} {thing}" for word in WORDS for thing in ("film", "plot", "story", "scene")]


def write(path: Path, targets: list[str], column: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("text", column), *zip(TEXTS, targets, strict=True)],
        )
    return path


@pytest.fixture
def train(
    tfaigc: Verb, write_recipe: Callable[..., Path], tmp_path: Path, tiny_bert: Path
) -> Train:
    def train(data: Path, **settings: Any) -> Result:
        recipe = write_recipe(
            tmp_path / "recipe.yaml",
            model_name_or_path=tiny_bert,
            train_data=data,
            output_dir=tmp_path / "run",
            validation_fraction=0.25,
            test_fraction=0.25,
            **settings,
        )
        result = tfaigc("train", recipe)
        assert result.exit_code == 0, result.output
        return result

    return train


def test_several_classes(tfaigc: Verb, train: Train, tmp_path: Path) -> None:
    lists = {"good": "praise", "great": "praise, strong", "bad": "", "awful": "strong"}
    data = write(tmp_path / "data.csv", [lists[text.split()[1]] for text in TEXTS], "labels")
    settings = {"multi_label": "true", "label_smoothing_factor": 0.1, "class_weights": [1, 2]}
    settings |= {"packed": "true", "max_length": 32, "gradient_checkpointing": "true"}
    export = tmp_path / "export"
    result = train(data, export_dir=export, **settings)
    for words in ("classes      praise 8, strong 8", "several of the classes", "micro F1"):
        assert words in result.output
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics.keys() >= {"micro_f1", "macro_f1", "hamming_accuracy"}
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is SEVERAL_CLASSES
    measured = tfaigc("evaluate", model, data)
    assert "data.csv: micro F1" in measured.output, measured.output
    ours, theirs = (
        json.loads(tfaigc("predict", place, TEXTS[0]).stdout) for place in (model, export)
    )
    assert ours["labels"] == theirs["labels"]
    assert ours["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-5)


def test_numbers(tfaigc: Verb, train: Train, tmp_path: Path) -> None:
    scores = {"good": "1", "great": "2.5", "bad": "-1", "awful": "-2"}
    data = write(tmp_path / "data.csv", [scores[text.split()[1]] for text in TEXTS], "stars")
    settings = {"task": "text-regression", "label_column": "stars", "huber_delta": 1.0}
    settings |= {"freeze_layers": "all", "cache_features": "true", "batch_tokens": 32}
    result = train(data, **settings)
    for words in ("numbers      -2 to 2.5, mean 0.125", "one number", "RMSE"):
        assert words in result.output
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()).keys() >= {"mae", "rmse"}
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is NUMBERS
    measured = tfaigc("evaluate", model, data, "--label-column", "stars")
    assert "data.csv: RMSE" in measured.output, measured.output
    answer = json.loads(tfaigc("predict", model, TEXTS[0]).stdout)
    assert isinstance(answer["score"], float)


def test_tags(tfaigc: Verb, train: Train, tmp_path: Path) -> None:
    data = tmp_path / "data.txt"
    sentences = [zip(text.split(), ("O", "S-MOOD", "O"), strict=True) for text in TEXTS]
    lines = ["".join(f"{word} x {tag}\n" for word, tag in each) for each in sentences]
    data.write_text("\n".join(lines))
    result = train(data, task="token-classification", label_all="true", num_train_epochs=1)
    for words in ("entities     MOOD 16", "tags are in BIOES; they are read as BIO", "F1"):
        assert words in result.output
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics.keys() >= {"f1", "macro_f1", "precision", "recall", "accuracy"}
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is TAGS
    assert json.loads((model / "tfaigc.json").read_text())["label_all"] is True
    table = data.rename(tmp_path / "data.conll")
    measured = tfaigc("evaluate", model, table, "--tags-column", "3")
    assert "data.conll: F1" in measured.output, measured.output
    answer = json.loads(tfaigc("predict", model, "--input", table).stdout.splitlines()[0])
    assert answer["text"] == "a good film"
    assert len(answer["tags"]) == len(answer["words"]) == 3
    assert json.loads(tfaigc("predict", model, TEXTS[0]).stdout).keys() == {"text", "entities"}


def test_vectors(tfaigc: Verb, train: Train, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    rows = [{"question": text, "reply": text[::-1], "text": "not read"} for text in TEXTS]
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    columns = {"anchor_column": "question", "positive_column": "reply"}
    settings = {"task": "text-embedding", "matryoshka_dims": [32, 8], "num_train_epochs": 1}
    result = train(data, export_dir=tmp_path / "export", **settings, **columns)
    for words in ("texts        pairs", "vectors of 32 numbers", "accuracy at 1"):
        assert words in result.output
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is EMBEDDINGS
    options = [f"--{name.replace('_', '-')}={column}" for name, column in columns.items()]
    assert "data.jsonl: accuracy at 1" in tfaigc("evaluate", model, data, *options).output
    ours, theirs = (
        json.loads(tfaigc("predict", place, TEXTS[0]).stdout)["embedding"]
        for place in (model, tmp_path / "export")
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_answers(tfaigc: Verb, train: Train, tmp_path: Path) -> None:
    rows = [
        {
            "asked": "which one",
            "context": text,
            "answers": {"text": [word], "answer_start": [text.index(word)]} if word else [],
        }
        for text in TEXTS
        for word in (text.split()[1], "")
    ]
    data = tmp_path / "data.json"
    data.write_text(json.dumps(rows))
    settings = {"task": "question-answering", "question_column": "asked", "max_length": 32}
    settings |= {"allow_no_answer": "true", "doc_stride": 2, "max_answer_length": 3}
    export = tmp_path / "export"
    # Each text is asked twice, with an answer and without: of duplicates the first stays.
    result = train(data, num_train_epochs=1, export_dir=export, **settings)
    for words in ("answers      16, of", "answers from contexts, or none", "F1", "--context"):
        assert words in result.output
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics.keys() >= {"f1", "exact_match"}
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is ANSWERS_IF_ANY
    measured = tfaigc("evaluate", model, data, "--question-column", "asked")
    assert "data.json: F1" in measured.output, measured.output
    asked = [
        json.loads(tfaigc("predict", place, "which one", "--context", TEXTS[0]).stdout)
        for place in (model, export)
    ]
    named = tfaigc("predict", model, "--input", data, "--question-column", "asked")
    answers = [*asked, json.loads(named.stdout.splitlines()[0])]
    for answer in answers:
        score = answer.pop("score")
        assert 0 < score < 1
        assert answer.pop("null_score") < 1e9
    assert answers[0] == answers[1] == answers[2]
    assert answers[0].keys() == {"question", "context", "answer", "start", "end"}
    refused = tfaigc("predict", export, "which one")
    assert "must be asked for context, question. Received: text" in refused.output
    data.write_text(json.dumps([{**row, "question": row["asked"]} for row in rows]))
    assert "answers      16, of 4 characters in the middle" in tfaigc("info", data).output


def test_choices(tfaigc: Verb, train: Train, tmp_path: Path) -> None:
    rows = [
        {"body": text, "options": [*WORDS[number % 2 :]], "answer": text.split()[1]}
        for number, text in enumerate(TEXTS)
        if text.split()[1] != "good"
    ]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"text_column": "body", "choices_column": "options", "label_column": "answer"}
    export = tmp_path / "export"
    result = train(
        data,
        task="multiple-choice",
        num_train_epochs=1,
        export_dir=export,
        max_length=32,
        **columns,
    )
    for words in ("choices      3 to 4 for a question", "one of several choices", "--choice"):
        assert words in result.output
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is CHOICES
    options = [f"--{name.replace('_', '-')}={column}" for name, column in columns.items()]
    measured = tfaigc("evaluate", model, data, *options)
    assert "data.jsonl: accuracy" in measured.output, measured.output
    asked = ("a film", "--choice", "good", "--choice", "awful")
    ours, theirs = (json.loads(tfaigc("predict", at, *asked).stdout) for at in (model, export))
    assert ours.pop("probabilities") == pytest.approx(theirs.pop("probabilities"), abs=1e-5)
    assert ours == {**theirs, "score": pytest.approx(theirs["score"], abs=1e-5)}
    data.write_text(json.dumps({"question": "a", "choices": ["b", "c"], "label": "A"}))
    assert "choices      2 each" in tfaigc("info", data).output
    assert json.loads(tfaigc("predict", export, "--input", data).stdout)["question"] == "a"


def test_images(tfaigc: Verb, write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    data = tmp_path / "data"
    random = np.random.default_rng(0)
    for number in range(24):
        path = data / ("dark", "light")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 120, (9, 9 + number % 4, 3), np.uint8) + 130 * (number % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    (data / "light" / "broken.png").write_bytes(b"no image")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 16, "image_size": 8, "patch_size": 4}
    export = tmp_path / "export"
    recipe = write_recipe(
        tmp_path / "recipe.yaml",
        model_type="vit",
        config_overrides=[f"{name}={size}" for name, size in sizes.items()],
        task="image-classification",
        train_data=data,
        output_dir=tmp_path / "run",
        export_dir=export,
        validation_fraction=0.25,
        test_fraction=0.25,
        max_invalid_share=0.1,
        random_flip="true",
        random_crop=1,
        num_train_epochs=1,
    )
    result = tfaigc("train", recipe)
    assert result.exit_code == 0, result.output
    for words in ("classes      dark 12, light 12", "1 unusable", "accuracy", "photo.jpg"):
        assert words in result.output
    model = tmp_path / "run" / "model"
    assert kind_of_model(model) is IMAGES
    (data / "light" / "broken.png").unlink()
    measured = tfaigc("evaluate", model, data)
    assert "data: accuracy" in measured.output, measured.output
    asked = str(data / "dark" / "0.png")
    ours, theirs = (json.loads(tfaigc("predict", at, asked).stdout) for at in (model, export))
    assert ours["label"] == theirs["label"]
    assert ours["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-5)
    listed = tfaigc("predict", export, "--input", data).stdout.splitlines()
    assert len(listed) == 24
    assert json.loads(listed[0])["image"] == asked


@pytest.mark.parametrize(
    ("kind", "targets", "message"),
    [
        (ONE_CLASS, Targets(np.zeros(3, np.int32), ("a", "b")), "two classes in label.*: a. "),
        (
            SEVERAL_CLASSES,
            Targets(np.array([[1, 0]] * 3), ("a", "b")),
            r"two classes in labels.*the same in each row \(a\)",
        ),
        (TAGS, Targets(np.array([[0, 0]] * 3), ("O", "B-X")), "two classes in tags.*: O. "),
        (ANSWERS_IF_ANY, Targets(np.full((3, 2), -1), ()), "questions with answers.*none in"),
        (NUMBERS, Targets(np.full((3, 1), 2.0), ()), r"two different numbers.*Received: \[2.0\]"),
    ],
)
def test_what_says_nothing_is_refused(kind: TaskKind, targets: Targets, message: str) -> None:
    table = Table([{"text": "a"}] * 3, "data.csv", [1, 2, 3])
    with pytest.raises(DataError, match=message):
        kind.targets.check(table, targets)


def test_the_rarest_class_is_spread_over_the_splits() -> None:
    belongs = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 0, 0], [1, 0, 1]])
    strata = SEVERAL_CLASSES.targets.strata(Targets(belongs, ("a", "b", "c")))
    assert strata.tolist() == [1, 0, 2, 3, 2]
