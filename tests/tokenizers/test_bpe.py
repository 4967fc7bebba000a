from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies
from tokenizer_battery import check_graph_equals_rust, hard_strings
from tokenizers import AddedToken, Regex, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as RustTokenizer

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import Tokenizer
from tfaigc.tokenizers.compiler import compile_tokenizer

Split, ByteLevel, Metaspace = (
    pre_tokenizers.Split,
    pre_tokenizers.ByteLevel,
    pre_tokenizers.Metaspace,
)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CLIP = r"<s>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
CODE = "def f(x):\n    if x  ==  1:\n\t\treturn {'a': [x, 2.50]}  # it's\r\n\n\n    "
PROSE = (
    "It's what we'd feared: they'LL never 'VE known, I'M sure, that 1234567 people DON'T.\n\n"
    "A second paragraph begins -- it really does --  with two spaces, and ends so...  \n"
)
EXTRAS = (
    *(
        CODE,
        PROSE,
        "<s>",
        "</s>",
        " <s> ",
        "<mask>",
        "  <mask>",
        "▁a",
        "▁ ▁",
        "<0x41>",
        "'\u017f it'\u212a",
    ),
    *(
        "\n\n  x",
        "\t\t",
        "  ",
        "   \u3000",
        "12345678",
        "١٢٣٤٥",
        "!!!\n\n",
        "aaaaaaaaaaa",
        "__init__",
    ),
    *("unbelievably" * 9, "ab" * 70, "x" * 300, "é中" * 60),
)
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


@lru_cache
def corpus() -> list[str]:
    return [text.replace("\0", "") for text in hard_strings(3000, seed=3, extras=EXTRAS)]


def train(
    pre_tokenizer: Any = None,
    normalizer: Any = None,
    *,
    model: dict[str, Any] | None = None,
    trainer: dict[str, Any] | None = None,
    special: Sequence[str] = ("<s>", "</s>", "<unk>"),
    changes: dict[str, Any] | None = None,
) -> Tokenizer:
    rust = RustTokenizer(models.BPE(**(model or {})))
    if normalizer is not None:
        rust.normalizer = normalizer
    if pre_tokenizer is not None:
        rust.pre_tokenizer = pre_tokenizer
    options: dict[str, Any] = {"vocab_size": 1500, "show_progress": False, "limit_alphabet": 400}
    learner = trainers.BpeTrainer(**options, special_tokens=list(special), **(trainer or {}))
    rust.train_from_iterator(corpus(), learner)
    spec = json.loads(rust.to_str())
    spec["added_tokens"] = [each for each in spec["added_tokens"] if each["content"] not in BYTES]
    spec["model"].update(changes or {})
    return Tokenizer(json.dumps(spec))


def byte_level(pre_tokenizer: Any, normalizer: Any = None, **others: Any) -> Tokenizer:
    alphabet = {"initial_alphabet": ByteLevel.alphabet()}
    return train(pre_tokenizer, normalizer, trainer=alphabet, **others)


def with_bytes(pre_tokenizer: Any, normalizer: Any, **others: Any) -> Tokenizer:
    return train(
        pre_tokenizer,
        normalizer,
        model={"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True},
        special=("<unk>", "<s>", "</s>", *BYTES),
        **others,
    )


def gpt2() -> Tokenizer:
    return byte_level(ByteLevel(add_prefix_space=False))


def roberta() -> Tokenizer:
    tokenizer = byte_level(ByteLevel(add_prefix_space=True))
    rust = RustTokenizer.from_str(json.dumps(tokenizer.spec))
    rust.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    rust.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    return Tokenizer(rust.to_str())


def llama3() -> Tokenizer:
    words = [Split(Regex(LLAMA3), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    tokenizer = byte_level(pre_tokenizers.Sequence(words))
    vocabulary = tokenizer.spec["model"]["vocab"]
    # Entries that merges do not reach, which ignore_merges finds all the same.
    for entry in ("Ġwholeword", "çĶŁ", "qqqq"):
        vocabulary[entry] = len(vocabulary)
    spec = {**tokenizer.spec, "model": {**tokenizer.spec["model"], "ignore_merges": True}}
    return Tokenizer(json.dumps(spec))


def qwen2() -> Tokenizer:
    pattern = Regex(LLAMA3.replace("{1,3}", ""))
    words = [Split(pattern, "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    return byte_level(pre_tokenizers.Sequence(words), normalizers.NFC())


def smollm2() -> Tokenizer:
    words = [pre_tokenizers.Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    return byte_level(pre_tokenizers.Sequence(words))


def clip() -> Tokenizer:
    words = [Split(Regex(CLIP), "removed", invert=True), ByteLevel(add_prefix_space=False)]
    return byte_level(
        pre_tokenizers.Sequence(words),
        normalizers.Lowercase(),
        model={"unk_token": "<unk>", "end_of_word_suffix": "</w>"},
    )


def llama2() -> Tokenizer:
    normalizer = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    tokenizer = with_bytes(Metaspace(prepend_scheme="never"), normalizers.Sequence(normalizer))
    return Tokenizer(json.dumps({**tokenizer.spec, "pre_tokenizer": None}))


def mistral() -> Tokenizer:
    tokenizer = with_bytes(Metaspace(prepend_scheme="first"), None)
    tokenizer.spec["pre_tokenizer"]["split"] = False
    return Tokenizer(json.dumps(tokenizer.spec))


def gemma() -> Tokenizer:
    return with_bytes(Split(" ", "merged_with_previous"), normalizers.Replace(" ", "▁"))


def prefixed() -> Tokenizer:
    return train(
        pre_tokenizers.Whitespace(),
        model={"unk_token": "<unk>", "continuing_subword_prefix": "##"},
        trainer={"continuing_subword_prefix": "##"},
    )


def shuffled() -> Tokenizer:
    """Merges in an order in which a pair may rank lower than those that bring it about."""
    tokenizer = gpt2()
    spec = json.loads(json.dumps(tokenizer.spec))
    vocabulary = spec["model"]["vocab"]
    merges = [
        [token[:cut], token[cut:]]
        for token in vocabulary
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]
    random.Random(0).shuffle(merges)
    spec["model"]["merges"] = merges
    return Tokenizer(json.dumps(spec))


FLAVORS = {
    "GPT-2": gpt2,
    "RoBERTa": roberta,
    "Llama 3": llama3,
    "Qwen2": qwen2,
    "SmolLM2": smollm2,
    "CLIP": clip,
    "Llama 2": llama2,
    "Mistral": mistral,
    "Gemma": gemma,
    "prefix": prefixed,
    "merges in any order": shuffled,
    "unknown fused": lambda: train(
        pre_tokenizers.WhitespaceSplit(), model={"unk_token": "<unk>", "fuse_unk": True}
    ),
    "unknown apart": lambda: train(pre_tokenizers.BertPreTokenizer(), model={"unk_token": "<unk>"}),
    "unknown left out": lambda: train(pre_tokenizers.Punctuation("contiguous")),
}


@lru_cache
def made(name: str) -> Tokenizer:
    return FLAVORS[name]()


@pytest.mark.parametrize("name", FLAVORS)
def test_graph_equals_rust(name: str) -> None:
    # Merges in any order are merged one by one, which takes its time.
    count = {"GPT-2": 1500, "Llama 2": 1500, "merges in any order": 40}.get(name, 500)
    texts = hard_strings(count, seed=17, extras=EXTRAS)
    check_graph_equals_rust(made(name), texts)
    check_graph_equals_rust(made(name), texts[:20], texts[20:40], offsets=True)


@hypothesis.settings(
    max_examples=5, deadline=None, derandomize=True, database=None, print_blob=False
)
@hypothesis.given(
    texts=strategies.lists(
        strategies.text(strategies.characters(exclude_categories=["Cs"])),
        min_size=1,
        max_size=100,
    )
)
@pytest.mark.parametrize("name", ["GPT-2", "Llama 2"])
def test_any_texts(name: str, texts: list[str]) -> None:
    check_graph_equals_rust(made(name), texts)


def long_words() -> list[str]:
    source = random.Random(1)
    letters = [source.choice("abcdefgh") for _ in range(6000)]
    return [
        "".join(letters),
        "b" + "a" * 5000,
        "".join("a" * source.randrange(300) + source.choice(letters) for _ in range(40)),
        "".join("".join(source.choices(letters, k=9)) * source.randrange(40) for _ in range(30)),
        *("".join(source.choices("ab", k=size)) for size in range(56, 140)),
    ]


@pytest.mark.parametrize("name", ["GPT-2", "merges in any order", "Llama 2", "prefix"])
def test_long_words_are_merged_in_chunks(name: str) -> None:
    most = 100 if name == "merges in any order" else 10_000
    check_graph_equals_rust(made(name), [word[:most] for word in long_words()])


@pytest.mark.parametrize("name", ["GPT-2", "Llama 2"])
def test_a_very_long_text_does_not_stall(name: str) -> None:
    tokenizer = made(name)
    traced = tf.function(tokenizer.in_graph, input_signature=[tf.TensorSpec([None], tf.string)])
    traced(tf.constant(["warm up", "a"]))
    letters = random.Random(0).choices("abcdefghijklmnopqrstuvwxyz", k=100_000)
    for text in ("".join(letters), "a" * 100_000, "b" + " " * 100_000, PROSE * 600, "中" * 33_000):
        started = time.monotonic()
        found = traced(tf.constant([text, "a"]))
        assert time.monotonic() - started < 5
        assert found.to_list() == tokenizer.encode([text, "a"])


@pytest.mark.parametrize("keeps_prefix", [True, False])
def test_offsets_without_spaces(keeps_prefix: bool) -> None:
    spec = json.loads(json.dumps(made("RoBERTa").spec))
    spec["post_processor"]["add_prefix_space"] = keeps_prefix
    texts = [f"{' ' * size}a <mask>  b{' ' * size}" for size in range(4)]
    texts += ["<mask>", "  <mask>", "\u3000x", " \n y"]
    for side in ("right", "left"):
        tokenizer = Tokenizer(json.dumps(spec), config={"truncation_side": side})
        check_graph_equals_rust(tokenizer, texts, texts[::-1], max_lengths=(None, 7), offsets=True)


@pytest.mark.parametrize("pre_tokenizer", [pre_tokenizers.Whitespace(), ByteLevel()])
def test_word_level(pre_tokenizer: Any) -> None:
    rust = RustTokenizer(models.WordLevel(unk_token="<unk>"))
    rust.pre_tokenizer = pre_tokenizer
    trainer = trainers.WordLevelTrainer(vocab_size=900, special_tokens=["<unk>"])
    rust.train_from_iterator((text for text in corpus() if len(text) < 50), trainer)
    tokenizer = Tokenizer(rust.to_str())
    texts = hard_strings(1000, seed=17, extras=EXTRAS)
    check_graph_equals_rust(tokenizer, texts)
    check_graph_equals_rust(tokenizer, texts[:60], texts[60:120], offsets=True)
    spec = {**tokenizer.spec, "model": {**tokenizer.spec["model"], "unk_token": "<none>"}}
    with pytest.raises(TokenizerError, match="unk_token must be in the vocabulary"):
        compile_tokenizer(spec)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout": 0.1}, "dropout must be 0"),
        ({"byte_fallback": True, "vocab": {"<0x00>": 0}, "merges": []}, "all 256 bytes"),
        ({"unk_token": "<none>"}, "unk_token must be in the vocabulary .*'<none>'"),
    ],
)
def test_models_that_cannot_be_compiled(changes: dict[str, Any], message: str) -> None:
    spec = made("GPT-2").spec
    with pytest.raises(TokenizerError, match=message):
        compile_tokenizer({**spec, "model": {**spec["model"], **changes}, "pre_tokenizer": None})
