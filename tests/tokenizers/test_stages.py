from __future__ import annotations

import json
import random

import pytest
import tensorflow as tf
from tokenizer_battery import charsmap, check_strings, every_character, hard_strings
from tokenizers import Regex, normalizers, pre_tokenizers

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
    "NFC": normalizers.NFC(),
    "NFKC": normalizers.NFKC(),
    "NFKD": normalizers.NFKD(),
    "Nmt": normalizers.Nmt(),
    "Strip": normalizers.Strip(),
    "Strip left": normalizers.Strip(right=False),
    "Strip right": normalizers.Strip(left=False),
    "Prepend": normalizers.Prepend("\u2581"),
    "Replace": normalizers.Replace("a", "\\0$1"),
    "Replace spaces": normalizers.Replace(Regex(" {2,}"), "\u2581"),
    "Replace white space": normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "),
    "ByteLevel": normalizers.ByteLevel(),
    "Precompiled": normalizers.Precompiled(charsmap("nmt_nfkc")),
    "Precompiled, case folded": normalizers.Precompiled(charsmap("nmt_nfkc_cf")),
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
HARD = [text.replace("\0", "") for text in hard_strings(600, seed=31)]


@pytest.mark.parametrize("texts", [every_character("a{}b"), HARD], ids=["every", "hard"])
@pytest.mark.parametrize("name", NORMALIZER_CASES)
def test_normalizers_on_every_character(name: str, texts: list[str]) -> None:
    normalizer = NORMALIZER_CASES[name]
    compiled = NORMALIZERS.build(json.loads(normalizer.__getstate__()))
    check_strings(texts, compiled, normalizer.normalize_str)


@pytest.mark.parametrize("name", ["NFC", "NFKC", "NFKD", "Precompiled"])
def test_normalizers_on_what_combines(name: str) -> None:
    normalizer = NORMALIZER_CASES[name]
    compiled = NORMALIZERS.build(json.loads(normalizer.__getstate__()))
    signs = "\u0600\u070f\u08e2\r\n\x01\u2028\u1100\u1161\u11a8\uac00\uac01\u09c7\u09be\u0dd9\u0dca"
    signs += (
        "\u00a9\u00ae\u2603\u200d\u0301\u0307\u0323\u0334\u0345\u302a\u3099\u304b\u0e33\ufe0f①é½xe "
    )
    source = random.Random(7)
    texts = ["".join(source.choices(signs, k=source.randrange(1, 8))) for _ in range(3000)]
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
    for name in ("NFD", "BERT uncased", "NFC", "NFKC", "NFKD", "Precompiled"):
        normalizer = NORMALIZER_CASES[name]
        compiled = NORMALIZERS.build(json.loads(normalizer.__getstate__()))
        check_strings(texts, compiled, normalizer.normalize_str)
