"""``tfaigc info``: what a model, an export or data is."""

from __future__ import annotations

from collections.abc import Mapping

from tfaigc.workflows.data_info import describe_data, is_data
from tfaigc.workflows.saved_models import is_saved_model
from tfaigc.workflows.screen import Screen, plain

# What is asked, by task, where it is not a text alone.
_ASKED = {
    "question_answering": (
        *("Where did Ada Lovelace live?", "--context", "Ada Lovelace lived in London."),
    ),
    "multiple_choice": ("Which of these is a city?", "--choice", "London", "--choice", "Ada"),
}


def info(path: str, *, columns: Mapping[str, str | None], screen: Screen) -> None:
    """Describes whatever a path holds.

    Args:
        path: A model's source, an export's directory, or data: a file, a directory of images, a
            TFDS name, or a built-in one.
        columns: Our names of fields to the data's columns; None: those of the same name.
        screen: Where the description goes.

    Raises:
        TfaigcError: It cannot be read.
    """
    if is_saved_model(path):
        _describe_export(path, screen)
    elif is_data(path):
        describe_data(path, columns=columns, screen=screen)
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
