"""The keys of a recipe under the heading ``training``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tfaigc.recipe import kinds
from tfaigc.recipe.key import key

MASK_UNITS = ("tokens", "words", "spans")
SENTENCE_TASKS = ("next_sentence", "sentence_order")
SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")
ON_NAN = ("stop", "rollback")
EMBEDDING_LOSSES = (
    *("multiple_negatives_ranking", "triplet", "cosine_similarity"),
    *("contrastive", "supervised_contrastive"),
)

_key = partial(key, "training")


@dataclass(frozen=True, kw_only=True)
class TrainingKeys:
    """How it learns."""

    learning_rate: float = _key(kinds.number(above=0, maximum=1), "its peak", 5e-5)
    weight_decay: float = _key(kinds.number(minimum=0, maximum=1), "on matrices only", 0.01)
    warmup_steps: float = _key(
        kinds.steps_or_share(),
        "steps in which the learning rate rises; below 1: their share of all steps",
        0.1,
    )
    lr_scheduler_type: str = _key(
        kinds.choice(*SCHEDULES), "how the learning rate falls after that", "linear"
    )
    max_grad_norm: float | None = _key(
        kinds.optional(kinds.number(above=0)),
        "gradients are scaled down to this global norm; null: never",
        1.0,
    )
    label_smoothing_factor: float = _key(
        kinds.number(minimum=0, below=1),
        "share of the target that is spread over all classes",
        0.0,
    )
    focal_gamma: float = _key(
        kinds.number(minimum=0),
        "how much less examples count that are right already; 0: not at all less",
        0.0,
    )
    class_weights: tuple[float, ...] | None = _key(
        kinds.optional(kinds.numbers(minimum=0)),
        "how much each class's examples count, in the order of labels; null: all alike",
        None,
    )
    random_flip: bool = _key(
        kinds.flag(), "in image-classification: every other image is turned left to right", False
    )
    random_crop: int = _key(
        kinds.whole(0), "by how many pixels images are moved, after they are resized", 0
    )
    huber_delta: float | None = _key(
        kinds.optional(kinds.number(above=0)),
        "in regression: the error from which on the loss is no longer squared; null: none",
        None,
    )
    embedding_loss: str | None = _key(
        kinds.optional(kinds.choice(*EMBEDDING_LOSSES)),
        "in text-embedding; null: what suits the columns",
        None,
    )
    matryoshka_dims: tuple[int, ...] | None = _key(
        kinds.optional(kinds.wholes(minimum=1)),
        "in text-embedding: how many first numbers shall be useful alone; null: all together",
        None,
    )
    mlm_probability: float = _key(
        kinds.number(above=0, below=1),
        "in masked language models: the share of tokens that is hidden",
        0.15,
    )
    mask_unit: str = _key(
        kinds.choice(*MASK_UNITS), "in masked language models: what is hidden as a whole", "tokens"
    )
    sentence_task: str | None = _key(
        kinds.optional(kinds.choice(*SENTENCE_TASKS)),
        "in masked language models: what is judged of pairs of texts besides, made of documents "
        "with a sentence on each line; null: nothing",
        None,
    )
    span_corruption: bool = _key(
        kinds.flag(),
        "in seq2seq-lm: spans that are left out of texts are learnt, as T5 was pretrained",
        False,
    )
    noise_density: float = _key(
        kinds.number(above=0, below=1), "with span_corruption: the share that is left out", 0.15
    )
    mean_noise_span_length: float = _key(
        kinds.number(minimum=1), "with span_corruption: tokens in a span, on average", 3.0
    )
    doc_stride: int | None = _key(
        kinds.optional(kinds.whole(0)),
        "in question-answering: tokens that examples of a long context have in common; null: 128",
        None,
    )
    max_answer_length: int = _key(kinds.whole(1), "most tokens of an answer that is given", 30)
    null_score_diff_threshold: float = _key(
        kinds.number(),
        "by how much no answer must outscore the best one, with allow_no_answer",
        0.0,
    )
    num_train_epochs: int = _key(kinds.whole(1), "passes over the training data", 3)
    batch_size: int = _key(kinds.whole(1), "examples per step", 32)
    batch_tokens: int | None = _key(
        kinds.optional(kinds.whole(1)),
        "most tokens per step, padding included, in place of batch_size; null: no such bound",
        None,
    )
    packed: bool = _key(
        kinds.flag(),
        "several examples share a row of max_length tokens; batch_size counts rows",
        False,
    )
    gradient_checkpointing: bool = _key(
        kinds.flag(),
        "the backward pass computes each layer again: less memory, more time",
        False,
    )
    freeze_layers: int | str | None = _key(
        kinds.optional(kinds.whole_or(0, "all")),
        "lowest layers that stay as they are, with the embeddings; all: all but the head",
        None,
    )
    cache_features: bool = _key(
        kinds.flag(),
        "with freeze_layers: all, compute what the head reads once, and keep it in memory",
        False,
    )
    gradient_accumulation_steps: int = _key(
        kinds.whole(1),
        "batches whose gradients make one step; more than 1 saves memory, not time",
        1,
    )
    on_nan: str = _key(
        kinds.choice(*ON_NAN),
        "at a loss that is NaN or explodes: stop, or go back and halve the learning rate",
        "stop",
    )
    save_steps: int | None = _key(
        kinds.optional(kinds.whole(1)),
        "a checkpoint every so many steps, beside those at the ends of epochs; null: none",
        None,
    )
    save_minutes: float | None = _key(
        kinds.optional(kinds.number(above=0)),
        "a checkpoint when the last is so many minutes old; null: none",
        10.0,
    )
    save_total_limit: int = _key(
        kinds.whole(1), "newest checkpoints that are kept, beside the best", 2
    )
    early_stopping_patience: int | None = _key(
        kinds.optional(kinds.whole(1)),
        "epochs without a better validation accuracy before training stops; null: never",
        None,
    )
    deterministic: bool = _key(
        kinds.flag(),
        "equal weights each time, on GPUs too, where it costs speed",
        False,
    )
    seed: int = _key(kinds.whole(0), "of the split, the order, dropout and the head", 0)
