from __future__ import annotations

import json
import random
import time
from functools import lru_cache
from typing import Any

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies
from tokenizer_battery import charsmap, check_graph_equals_rust, hard_strings, make_unigram
from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import Tokenizer

Metaspace = pre_tokenizers.Metaspace
Sequence = normalizers.Sequence
ADDED = [
    AddedToken("<extra_id_0>", special=True, normalized=False),
    AddedToken("<mask>", special=True, lstrip=True, normalized=False),
]
ALBERT = [
    normalizers.Replace("``", '"'),
    normalizers.Replace("''", '"'),
    normalizers.NFKD(),
    normalizers.StripAccents(),
    normalizers.Lowercase(),
]


def precompiled(name: str = "nmt_nfkc") -> normalizers.Normalizer:
    return normalizers.Precompiled(charsmap(name))


TOKENIZERS: dict[str, Any] = {
    "T5": lambda: {"normalizer": precompiled(), "pre_tokenizer": Metaspace(), "added": ADDED},
    "T5, spaces first": lambda: {
        "normalizer": precompiled(),
        "pre_tokenizer": Metaspace(prepend_scheme="first"),
        "added": ADDED,
    },
    "XLM-RoBERTa": lambda: {
        "normalizer": precompiled(),
        "pre_tokenizer": pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), Metaspace()]),
        "added": ADDED,
        "template": "<pad> $A </s>",
    },
    "ALBERT": lambda: {
        "normalizer": Sequence([*ALBERT, precompiled()]),
        "pre_tokenizer": Metaspace(),
        "template": "<pad> $A </s>",
    },
    "XLNet": lambda: {
        "normalizer": Sequence([*ALBERT[:2], precompiled(), normalizers.Strip(left=False)]),
        "pre_tokenizer": Metaspace(prepend_scheme="never"),
        "template": "$A </s> <pad>:2",
    },
    "DeBERTa": lambda: {
        "normalizer": Sequence(
            [
                normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "),
                normalizers.NFC(),
                normalizers.Strip(),
            ]
        ),
        "pre_tokenizer": pre_tokenizers.Sequence([Metaspace()]),
    },
    "bytes": lambda: {
        "normalizer": Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]),
        "byte_fallback": True,
    },
    "nothing else": dict,
}


@lru_cache
def made(name: str) -> Tokenizer:
    return make_unigram(**TOKENIZERS[name]())


EXTRAS = (
    "<unk>",
    "<unk>\U0001f0a1",
    "\U0001f0a1\U0001f0a2",
    "<extra_id_0>",
    "<mask>",
    "  <mask> ",
    "</s>",
)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_graph_equals_rust(name: str) -> None:
    tokenizer = made(name)
    texts = hard_strings(1500 if name == "T5" else 400, seed=61, extras=EXTRAS)
    pairs = hard_strings(60, seed=62)
    check_graph_equals_rust(tokenizer, texts)
    check_graph_equals_rust(tokenizer, texts[:60], pairs, max_lengths=(9,), offsets=True)


@hypothesis.settings(
    max_examples=4, deadline=None, derandomize=True, database=None, print_blob=False
)
@hypothesis.given(
    texts=strategies.lists(
        strategies.text(strategies.characters(codec="utf-8")),
        min_size=1,
        max_size=60,
    )
)
def test_any_texts(texts: list[str]) -> None:
    check_graph_equals_rust(made("T5"), texts)


def test_no_texts() -> None:
    check_graph_equals_rust(made("T5"), [])


def test_ties_break_as_in_rust() -> None:
    pieces = {"<unk>": 0.0, "a": -1.1, "aa": -2.2, "aaa": -3.3, "b": -0.7, "ab": -1.8, "ba": -1.8}
    model = {"type": "Unigram", "unk_id": 0, "vocab": list(pieces.items()), "byte_fallback": False}
    tokenizer = Tokenizer(json.dumps({"version": "1.0", "added_tokens": [], "model": model}))
    texts = ["a" * size for size in range(60)]
    texts += [format(number, "b").replace("0", "a").replace("1", "b") for number in range(500)]
    check_graph_equals_rust(tokenizer, texts)


def with_scores_of_files(tokenizer: Tokenizer, *, misread: bool) -> Tokenizer:
    """Rounds scores to float32, and moves some by their last digit, as reading a file may do."""
    spec = json.loads(json.dumps(tokenizer.spec))
    for index, entry in enumerate(spec["model"]["vocab"]):
        score = np.float64(np.float32(entry[1]))
        entry[1] = float(np.nextafter(score, -np.inf) if misread and index % 3 else score)
    return Tokenizer(json.dumps(spec))


def long_words() -> list[str]:
    source = random.Random(5)
    words = ["the", "running", "unbelievable", "an", "中文字", "😀", "zzz"]
    return [
        *("a" * size for size in (512, 513, 768, 769, 1600)),
        *("".join(source.choices(words, k=size)) for size in (160, 400)),
        *("".join(source.choices("ab", k=source.randrange(500, 1200))) for _ in range(6)),
        "\u2603" * 600 + "ab" * 300,
    ]


@pytest.mark.parametrize("scores", ["float32", "misread", "float64"])
def test_long_words_are_cut_into_segments(scores: str) -> None:
    tokenizer = made("nothing else")
    if scores != "float64":
        tokenizer = with_scores_of_files(tokenizer, misread=scores == "misread")
    check_graph_equals_rust(tokenizer, long_words())


def test_a_very_long_word_does_not_stall() -> None:
    tokenizer = with_scores_of_files(made("T5"), misread=True)
    traced = tf.function(tokenizer.in_graph, input_signature=[tf.TensorSpec([None], tf.string)])
    traced(tf.constant(["warm up", "a"]))
    letters = random.Random(0).choices("abcdefghijklmnopqrstuvwxyz", k=100_000)
    for text in ("".join(letters), "a" * 100_000, "中" * 33_000):
        started = time.monotonic()
        found = traced(tf.constant([text, "a"]))
        assert time.monotonic() - started < 5
        assert found.to_list() == tokenizer.encode([text, "a"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unk_id": None}, "unk_id must be set"),
        ({"vocab": [["<unk>", 20.0], ["a", 30.0]]}, "the lowest below 10"),
        ({"byte_fallback": True, "vocab": [["<unk>", 0], ["<0x00>", -1.0]]}, "all 256 bytes"),
    ],
)
def test_models_that_cannot_be_compiled(changes: dict[str, Any], message: str) -> None:
    model = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]], "byte_fallback": False}
    spec = {"version": "1.0", "added_tokens": [], "model": {**model, **changes}}
    with pytest.raises(TokenizerError, match=message):
        _ = Tokenizer(json.dumps(spec)).graph


def test_what_hides_how_a_text_begins() -> None:
    tokenizer = make_unigram(normalizers.Strip(), pre_tokenizer=Metaspace(prepend_scheme="first"))
    with pytest.raises(TokenizerError, match=r"keeps how texts begin .*'Strip'"):
        _ = tokenizer.graph
