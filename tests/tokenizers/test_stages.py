from __future__ import annotations

import json

import pytest
import tensorflow as tf
from tokenizer_battery import check_strings, every_character, hard_strings
from tokenizers import normalizers, pre_tokenizers

from tfaigc.tokenizers.normalizers import NORMALIZERS
from tfaigc.tokenizers.pre_tokenizers import PRE_TOKENIZERS

Bert = normalizers.BertNormalizer
NORMALIZER_CASES = {
    "BERT uncased": Bert(),
    "BERT cased": Bert(lowercase=False),
    "BERT accents stripped": Bert(lowercase=False, strip_accents=True),
    "BERT accents kept": Bert(strip_accents=False),
    "BERT not cleaned": Bert(clean_text=False, handle_chinese_chars=False),
    "NFD": normalizers.NFD(),
    "Lowercase": normalizers.Lowercase(),
    "StripAccents": normalizers.StripAccents(),
    "Sequence": normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]
    ),
}
PRE_TOKENIZER_CASES = {
    "BertPreTokenizer": pre_tokenizers.BertPreTokenizer(),
    "WhitespaceSplit": pre_tokenizers.WhitespaceSplit(),
    "Sequence": pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.BertPreTokenizer()]
    ),
}
HARD = [text.replace("\0", "") for text in hard_strings(2000, seed=31)]


@pytest.mark.parametrize("texts", [every_character("a{}b"), HARD], ids=["every", "hard"])
@pytest.mark.parametrize("name", NORMALIZER_CASES)
def test_normalizers_on_every_character(name: str, texts: list[str]) -> None:
    normalizer = NORMALIZER_CASES[name]
    compiled = NORMALIZERS.build(json.loads(normalizer.__getstate__()))
    check_strings(texts, compiled, normalizer.normalize_str)


@pytest.mark.parametrize("texts", [every_character("a{}b"), HARD], ids=["every", "hard"])
@pytest.mark.parametrize("name", PRE_TOKENIZER_CASES)
def test_pre_tokenizers_on_every_character(name: str, texts: list[str]) -> None:
    pre_tokenizer = PRE_TOKENIZER_CASES[name]
    compiled = PRE_TOKENIZERS.build(json.loads(pre_tokenizer.__getstate__()))

    def words(text: str) -> list[str]:
        return [word for word, _ in pre_tokenizer.pre_tokenize_str(text)]

    check_strings(texts, compiled, words)


@pytest.mark.parametrize("name", [*NORMALIZER_CASES, *PRE_TOKENIZER_CASES])
def test_nothing_to_do(name: str) -> None:
    table = {**NORMALIZER_CASES, **PRE_TOKENIZER_CASES}
    spec = json.loads(table[name].__getstate__())
    registry = NORMALIZERS if name in NORMALIZER_CASES and name != "Sequence" else PRE_TOKENIZERS
    output = registry.build(spec)(tf.constant([], tf.string))
    assert output.shape[0] == 0


def test_combining_marks_in_any_order() -> None:
    marks = [chr(code) for code in (0x301, 0x323, 0x334, 0x345, 0x5B0, 0x1DFA, 0x8CA, 0x10F46)]
    texts = ["a" + first + second + third for first in marks for second in marks for third in marks]
    for name in ("NFD", "BERT uncased"):
        normalizer = NORMALIZER_CASES[name]
        compiled = NORMALIZERS.build(json.loads(normalizer.__getstate__()))
        check_strings(texts, compiled, normalizer.normalize_str)
