from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import hypothesis
import pytest
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
    texts = hard_strings(5000 if name == "T5" else 400, seed=61, extras=EXTRAS)
    pairs = hard_strings(60, seed=62)
    check_graph_equals_rust(tokenizer, texts)
    check_graph_equals_rust(tokenizer, texts[:60], pairs, max_lengths=(9,))


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
