"""What every tokenizer must pass: the graph gives the ids that the Rust tokenizer gives."""

# ruff: noqa: E501, RUF001, SIM905 (look-alike characters are the point)
from __future__ import annotations

import io
import itertools
import json
import random
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from tokenizers import (
    AddedToken,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from tokenizers import (
    Tokenizer as RustTokenizer,
)

from tfaigc.tokenizers import Tokenizer

SPACES = (
    " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
CONTROLS = "\0\x01\x08\x7f\x9f\u00ad\u0600\u180e\u200b\u200c\u200d\u200e\u2060\ufeff\ufffd\ufffe\uffff\ue000\U000e0001\U0010ffff"
CASES = "AİIıiſẞßΣσςΑΆÄäÉéĲĳǅǲᏣꭳꮓႠⴀΩKÅ\u1c89\ua7cb\U00010570\U00010d50\U00016ea0\ua7dc"
MARKS = (
    "\u0301\u0307\u0323\u0327\u0334\u0345\u034f\u0378\u05b0\u064b\u093c\u0e38\u1dfa\u20dd\u302a"
    "\u302e\u3099\ufe20\U00011938\U00011935\U00011930\U000105c9\U000105d2\U0001d165\U0001d16d"
    "\U0001e000\U0001e2ae\U0001e4ec\U00016d63\U00016d67\U00010eab\u08d4\u1ac1\U00010d69"
)
COMPATIBLE = "™ﬁﬃ①½㎏Ⅷ\u212bﾊﾞ豈\ufb1d\uac00각\u1100\u1161\u11a8\U0002f800①ａＡ｜"
CHINESE = "中文字漢字㐀䶿鿿\U00020000\U0002a6df\U0002b81f\U0002b820\U0002b91f\U0002ceaf豈ひらカタ"
PUNCTUATION = (
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡§«»¿‐—‘’“”…⁇、。「」・﹏！｡\u061b\u0964\u2e4f\U00010100"
)
OTHERS = "×÷€£°±¬©®→☃😀👩🏽‍🚀🇫🇷ñõҖжЁёאبदกမខ𝒜𐐀"
WORDS = (
    "the of and running unbelievable playing tokenization don't can't it's U.S.A. e-mail C++ "
    "naïve Ünïcödé ΟΔΟΣ Οδός İSTANBUL straße GROẞ Привет Ёлка 東京 서울 한국어 हिन्दी ไทย עברית العربية "
    "Tiếng Việt 3,141.59 5\u00a0EUR http://a.b/c?d=e&f #tag @name x86_64 ##ing ##s [CLS] [SEP] "
    "[MASK] [PAD] [UNK] [cls] [SE P] <mask> a\u0301b e\u0323\u0302 ﬁne ½ ™ 👩🏽‍🚀 🇫🇷 zzzz qqq"
).split(" ")
POOLS = (SPACES, CONTROLS, CASES, MARKS, COMPATIBLE, CHINESE, PUNCTUATION, OTHERS, "abcABC019 ")
LONG_WORDS = tuple(letter * count for letter in "aé中😀" for count in (9, 10, 99, 100, 101, 400))


def hard_string(source: random.Random, extras: Sequence[str] = ()) -> str:
    """Makes a text of everything that tokenizers get wrong."""
    parts = []
    for _ in range(source.randrange(8)):
        kind = source.random()
        if kind < 0.4:
            parts.append(source.choice(WORDS))
        elif kind < 0.5 and extras:
            parts.append(source.choice(extras))
        elif kind < 0.52:
            parts.append(source.choice(LONG_WORDS))
        elif kind < 0.6:
            parts.append(
                chr(source.choice([source.randrange(0xD800), source.randrange(0xE000, 0x110000)]))
            )
        else:
            pools = source.choices(POOLS, k=source.randrange(1, 3))
            parts.extend(source.choice(source.choice(pools)) for _ in range(source.randrange(1, 7)))
        if source.random() < 0.5:
            parts.append(" ")
    return "".join(parts)


def hard_strings(count: int, *, seed: int = 0, extras: Sequence[str] = ()) -> list[str]:
    """Makes `count` hard texts; the same ones for the same seed."""
    source = random.Random(seed)
    return ["", " ", *(hard_string(source, extras) for _ in range(count - 2))]


def train_wordpiece(
    normalizer: normalizers.Normalizer | None = None,
    *,
    pre_tokenizer: pre_tokenizers.PreTokenizer | None = None,
    prefix: str = "##",
    unknown: str = "[UNK]",
    longest: int = 100,
    added: Sequence[AddedToken] = (),
    vocabulary_size: int = 2000,
) -> Tokenizer:
    """Trains a small WordPiece tokenizer on hard texts, with BERT's template."""
    rust = RustTokenizer(models.WordPiece(unk_token=unknown, continuing_subword_prefix=prefix))
    rust.normalizer = normalizer
    rust.pre_tokenizer = pre_tokenizer or pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary_size,
        special_tokens=["[PAD]", unknown, "[CLS]", "[SEP]", "[MASK]"],
        continuing_subword_prefix=prefix,
        limit_alphabet=800,
        show_progress=False,
    )
    texts = (text.replace("\0", "").split(" ") for text in hard_strings(2000, seed=3))
    rust.train_from_iterator(
        (" ".join(w for w in words if len(w) < 40) for words in texts), trainer
    )
    rust.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    rust.add_tokens(list(added))
    spec = json.loads(rust.to_str())
    spec["model"].update(unk_token=unknown, max_input_chars_per_word=longest)
    return Tokenizer(json.dumps(spec))


@lru_cache
def unigram_vocabulary() -> str:
    """Trains a Unigram vocabulary on hard texts; JSON of pieces with their scores."""
    rust = RustTokenizer(models.Unigram())
    rust.normalizer = normalizers.NFKC()
    rust.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=900,
        special_tokens=["<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    texts = [text.replace("\0", "") for text in hard_strings(900, seed=3)]
    rust.train_from_iterator(texts, trainer)
    return json.dumps(json.loads(rust.to_str())["model"]["vocab"])


def make_unigram(
    normalizer: normalizers.Normalizer | None = None,
    *,
    pre_tokenizer: pre_tokenizers.PreTokenizer | None = None,
    byte_fallback: bool = False,
    added: Sequence[AddedToken] = (),
    template: str = "$A </s>",
) -> Tokenizer:
    """Makes a Unigram tokenizer, with a template like T5's if none is given."""
    vocabulary = json.loads(unigram_vocabulary())
    if byte_fallback:
        vocabulary += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    rust = RustTokenizer(models.Unigram([(p, s) for p, s in vocabulary], 2, byte_fallback))
    rust.normalizer = normalizer
    rust.pre_tokenizer = pre_tokenizer
    rust.post_processor = processors.TemplateProcessing(
        single=template,
        pair=f"{template} {template.replace('$A', '$B:1')}",
        special_tokens=[("<pad>", 0), ("</s>", 1)],
    )
    rust.add_tokens(list(added))
    return Tokenizer(rust.to_str())


@lru_cache
def charsmap(name: str) -> bytes:
    """Lets SentencePiece write one of its precompiled normalizers."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b"]),
        model_writer=written,
        vocab_size=8,
        hard_vocab_limit=False,
        normalization_rule_name=name,
        minloglevel=2,
    )
    model = sentencepiece_model_pb2.ModelProto.FromString(written.getvalue())
    return bytes(model.normalizer_spec.precompiled_charsmap)


def check_graph_equals_rust(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    *,
    max_lengths: Iterable[int | None] = (None,),
    truncation: str = "longest_first",
    offsets: bool = False,
) -> None:
    """Checks that `in_graph` gives the token ids, segment ids and offsets of `encode_arrays`."""
    for max_length in max_lengths:
        options = (max_length, truncation)
        expected: Any = tokenizer.encode_arrays(texts, pairs, *options, return_offsets=offsets)
        columns = [
            None if each is None else tf.constant(list(each), tf.string) for each in (texts, pairs)
        ]
        found = tokenizer.in_graph(
            *columns,
            max_length,
            return_segment_ids=True,
            truncation=truncation,
            return_offsets=offsets,
        )
        assert found[0].dtype == found[1].dtype == tf.int32
        inputs = list(texts) if pairs is None else list(zip(texts, pairs, strict=True))
        wanted = (
            expected.token_ids,
            expected.segment_ids,
            *([expected.offsets] if offsets else []),
        )
        for each, values in zip(found, wanted, strict=True):
            rows = _rows(each.flat_values.numpy(), each.row_splits.numpy())
            _compare(inputs, rows, _rows(values, expected.row_splits), max_length)


def check_strings(
    texts: Sequence[str],
    function: Callable[[tf.Tensor], tf.Tensor],
    reference: Callable[[str], object],
) -> None:
    """Checks a function on string tensors against a function on strings."""
    found = function(tf.constant(list(texts), tf.string))
    rows = found.to_list() if isinstance(found, tf.RaggedTensor) else found.numpy().tolist()
    for text, row in zip(texts, rows, strict=True):
        decoded = [word.decode() for word in row] if isinstance(row, list) else row.decode()
        assert decoded == reference(text), ascii(text)


def every_character(around: str = "{}", *, size: int = 4096) -> list[str]:
    """Lists every character of Unicode, set into a frame, in strings of `size` characters."""
    codes = [*range(0xD800), *range(0xE000, 0x110000)]
    framed = [around.format(chr(code)) for code in codes if code]
    return ["".join(framed[start : start + size]) for start in range(0, len(framed), size)]


def _rows(values: np.ndarray, splits: np.ndarray) -> list[object]:
    flat, ends = values.tolist(), splits.tolist()
    return [flat[start:end] for start, end in itertools.pairwise(ends)]


def _compare(
    inputs: Sequence[object], found: list[object], expected: list[object], limit: object
) -> None:
    wrong = [
        index for index, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1]
    ]
    if wrong:
        index = wrong[0]
        raise AssertionError(
            f"{len(wrong)} of {len(inputs)} differ at max_length={limit}; first: "
            f"{inputs[index]!a}: graph {found[index]}, Rust {expected[index]}"
        )
