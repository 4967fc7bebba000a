"""What the server tells of a sample of requests, and what it keeps to itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from prometheus_client.parser import text_string_to_metric_families
from served_models import save

from tfaigc.errors import ServingError
from tfaigc.serving.core import Core
from tfaigc.serving.manager import ModelSpec
from tfaigc.serving.redaction import redact
from tfaigc.serving.versions import ModelConfig
from tfaigc.serving.watch import WatchSettings
from tfaigc.serving.watch_metrics import OTHER
from tfaigc.workflows.serve import read_settings

UNKNOWN = 100


def answer(text: Any) -> dict[str, Any]:
    """Labels a text by its first word, and scores it by its length."""
    score = tf.cast(tf.strings.length(text), tf.float32) / 100
    words = tf.strings.split(text, " ").to_tensor("")
    return {"label": words[:, 0], "score": score, "echo": tf.identity(text)}


def tokenize(text: Any) -> dict[str, Any]:
    """Takes words to their lengths, and words of one letter for unknown."""
    words = tf.strings.split(text, " ")
    lengths = tf.ragged.map_flat_values(tf.strings.length, words)
    ids = tf.ragged.map_flat_values(lambda each: tf.where(each == 1, UNKNOWN, each), lengths)
    return {
        "token_ids": ids.to_tensor(UNKNOWN),
        "padding_mask": tf.sequence_mask(words.row_lengths(), dtype=tf.int32),
    }


def classify(inputs: Any) -> dict[str, Any]:
    count = tf.shape(inputs)[0]
    return {
        "classes": tf.tile([["up", "down"]], [count, 1]),
        "scores": tf.tile([[0.2, 0.8]], [count, 1]),
    }


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory, text = tmp_path_factory.mktemp("watched"), tf.TensorSpec((None,), tf.string, "text")
    made = {
        "serving_default": (answer, [text]),
        "tokenize": (tokenize, [text]),
        "classify": (classify, [tf.TensorSpec((None,), tf.string, "inputs")]),
    }
    for name in ("told", "silent"):
        save(directory / name / "1", made)
    extra = directory / "told" / "1" / "assets.extra"
    extra.mkdir()
    (extra / "tfaigc.json").write_text(json.dumps({"unknown_token_id": UNKNOWN}))
    return directory


def ask(
    directory: Path, settings: WatchSettings | None, *calls: tuple[str, str, list[str]]
) -> Core:
    """Asks models, and waits until all has been looked at; gives the server's core."""
    core = Core(watch=settings)
    core.manager.configure([ModelConfig(path.name, path) for path in directory.iterdir()])
    core.manager.refresh()
    for model, signature, texts in calls:
        with core.manager.lent(ModelSpec(model)) as servable:
            [name] = servable.signatures[signature].inputs
            array = tf.constant(texts).numpy()
            servable.submit(signature, {name: array}).result()
    core.close()
    return core


def samples(core: Core, ending: str) -> dict[tuple[str, ...], float]:
    """A metric's values by its labels, model and signature first, the version left out."""
    return {
        tuple(each.labels[name] for name in sorted(each.labels, key=_place)[:-1]): each.value
        for family in text_string_to_metric_families(core.metrics.page().decode())
        for each in family.samples
        if each.name == f"tfaigc_serving_watched_{ending}"
    }


def _place(label: str) -> tuple[bool, bool, str]:
    return label == "version", label not in ("model", "signature"), label


def test_lengths_unknown_tokens_scores_and_labels_are_counted(watched: Path) -> None:
    texts = ["good film", "bad a b", "good"]
    core = ask(
        watched,
        WatchSettings(1.0),
        ("told", "serving_default", texts),
        ("silent", "serving_default", texts[:1]),
        ("told", "classify", ["x"]),
    )
    told, silent = ("told", "serving_default"), ("silent", "serving_default")
    classified = ("told", "classify")
    assert samples(core, "examples_total") == {told: 3, silent: 1, classified: 1}
    assert samples(core, "input_characters_sum") == {(*told, "text"): 20, (*silent, "text"): 9}
    assert samples(core, "input_tokens_sum") == {told: 6, silent: 2}
    # A model that does not say which token is the unknown one is not guessed about.
    assert samples(core, "unknown_tokens_total") == {told: 2}
    assert samples(core, "score_count") == {(*told, "score"): 3, (*silent, "score"): 1}
    assert samples(core, "score_sum")[(*told, "score")] == pytest.approx(0.2)
    labels = samples(core, "labels_total")
    assert labels[(*told, "good", "label")] == 2
    assert labels[(*told, "bad", "label")] == 1
    assert labels[(*classified, "down", "classes")] == 1
    assert b"good film" not in core.metrics.page()


def test_labels_without_end_are_one_and_a_share_is_sampled(watched: Path) -> None:
    many = [f"label{number}" for number in range(150)]
    core = ask(watched, WatchSettings(1.0), ("silent", "serving_default", many))
    labels = samples(core, "labels_total")
    assert len(labels) == 101
    assert labels["silent", "serving_default", OTHER, "label"] == 50
    calls = [("silent", "serving_default", ["a"])] * 300
    core = ask(watched, WatchSettings(0.2), *calls)
    assert 20 < samples(core, "examples_total")["silent", "serving_default"] < 120
    assert b"serving_watched" not in ask(watched, None, *calls[:1]).metrics.page()


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("tfaigc.serving.texts")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield lines
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("log_texts", "written"),
    [(None, []), ("redacted", ["by [EMAIL]"]), ("raw", ["by ann@example.org"])],
)
def test_texts_are_logged_only_when_asked_for(
    watched: Path, logged: list[str], log_texts: str | None, written: list[str]
) -> None:
    settings = WatchSettings(1.0, log_texts)
    ask(watched, settings, ("told", "serving_default", ["by ann@example.org"]))
    assert [json.loads(line)["inputs"]["text"] for line in logged] == [[each] for each in written]
    assert all(json.loads(line)["label"] == ["by"] for line in logged)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mail a.b+c@mail.example.co.uk!", "mail [EMAIL]!"),
        ("mail p.o'neil@example.org", "mail [EMAIL]"),
        ("insured as QQ 12 34 56 C", "insured as [ID]"),
        ("card 4111-1111-1111-1111, 378282246310005", "card [CARD], [CARD]"),
        ("not a card: 4111-1111-1111-1112", "not a card: [ID]"),
        ("call (030) 1234567 or +49\u00a030 123456.", "call [PHONE] or [PHONE]."),
        ("SSN 078-05-1120, NINO QQ123456C", "SSN [ID], NINO [ID]"),
        ("pay to DE89 3704 0044 0532 0130 00 now", "pay to [ACCOUNT] now"),
        ("passport C01X00T478, tax 86095742719", "passport [ID], tax [ID]"),
        ("٠١٢٣٤٥٦٧٨٩ is a number too", "[ID] is a number too"),
        ("In 2024, 25 of 1,250 films; 2024-01-15, 12.31.1999.", None),
        ("ISO9001 and COVID19 at 10:45, $3.99 (see p. 120-145)", None),
    ],
)
def test_what_identifies_people_is_left_out(text: str, redacted: str | None) -> None:
    assert redact(text) == (text if redacted is None else redacted)


def test_a_long_text_is_redacted_in_no_time() -> None:
    for piece in ("a", "1", "1 ", "A1", "a@", "DE89 ", "(1)."):
        redact(piece * (50_000 // len(piece)))


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ServingError, match=r"at most 1\. Received: 1.5"):
        read_settings(watch=1.5)
    with pytest.raises(ServingError, match=r"Pass watch=0\.1"):
        read_settings(log_texts="raw")
