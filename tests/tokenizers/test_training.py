"""Tokenizers made from texts: equal in the graph and in `transformers`, for every family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tfaigc import Tokenizer
from tfaigc.errors import ConfigError, TokenizerError
from tfaigc.families import FAMILIES
from tfaigc.tokenizers.training import usual_kind

TEXTS = ["The good film, isn't it?", "a dull plot <mask> [MASK]", "straße FILM 日本", "a  b"] * 5
OTHERS = [*TEXTS[:4], "unseen wörds; x", " in front", "", "a<s>b", "A</s>", "[CLS]x"]


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
@pytest.mark.parametrize("family", [None, "roberta", "t5", "llama"])
def test_ids_are_those_of_the_graph_and_of_transformers(
    kind: str, family: str | None, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    tokenizer = Tokenizer.train(
        TEXTS, kind=kind, vocabulary_size=400, family=family, lowercase=family == "t5"
    )
    assert tokenizer.vocabulary_size <= 400
    ids = tokenizer.encode(OTHERS)
    assert tokenizer.in_graph(tf.constant(OTHERS)).to_list() == ids
    tokenizer.save_pretrained(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path)(OTHERS)["input_ids"] == ids
    assert tokenizer.decode(tokenizer.encode(["a dull plot"])) == ["a dull plot"]


def test_every_family_of_texts_has_its_tokens() -> None:
    for name in FAMILIES.keys() - {"vit", "deit", "xlnet"}:
        tokenizer = Tokenizer.train(TEXTS, kind=usual_kind(name), vocabulary_size=400, family=name)
        assert tokenizer.pad_token_id is not None
        assert "masked_lm" not in FAMILIES[name].heads or tokenizer.mask_token_id is not None
        assert "seq2seq_lm" not in FAMILIES[name].heads or tokenizer.eos_token_id is not None


@pytest.mark.parametrize(
    ("texts", "settings", "error", "message"),
    [
        (TEXTS, {"kind": "bytes"}, ConfigError, r"kind must be one of .*Received: 'bytes'"),
        (TEXTS, {"family": "brt"}, ConfigError, r"Received: 'brt'. Did you mean 'bert'"),
        (TEXTS, {"vocabulary_size": 9}, ConfigError, r"vocabulary_size must be at least \d\d for"),
        ("one", {}, TokenizerError, r"Received: one string. Pass \[text\]"),
        (["a", 3], {}, TokenizerError, r"texts\[1\] must be a string. Received: int"),
        ([], {}, TokenizerError, "at least one text"),
    ],
)
def test_what_makes_no_tokenizer_is_refused(
    texts: Any, settings: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        Tokenizer.train(texts, **{"kind": "wordpiece", "vocabulary_size": 200, **settings})
