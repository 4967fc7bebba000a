"""``tfaigc info``: what a model, an export or a data file is, without loading TensorFlow."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from tfaigc.errors import CheckpointError
from tfaigc.workflows.models import find_model
from tfaigc.workflows.saved_models import is_saved_model
from tfaigc.workflows.screen import Screen, count_of

_SIZES = {
    "hidden_size": "hidden size",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "vocab_size": "vocabulary",
}


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
        _describe_model(path, screen)


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
            screen.result_fact(key, _plain(value))
    for name, signature in made.pop("signatures", {}).items():
        inputs, outputs = (", ".join(signature[side]) for side in ("inputs", "outputs"))
        screen.result_fact("signature", f"{name}: {inputs} → {outputs}")
    for key, value in made.items():
        if key.endswith("_version"):
            screen.result_fact(key.removesuffix("_version"), _plain(value))
    screen.next_command("predict", path, "A gorgeous film.")


def _describe_model(source: str, screen: Screen) -> None:
    from tfaigc.checkpoints import open_weights

    directory = find_model(source)
    config = _read_json(directory / "config.json")
    ours = _read_json(directory / "tfaigc.json") if (directory / "tfaigc.json").exists() else {}
    with open_weights(directory) as weights:
        count = sum(math.prod(weights.shape(name)) for name in weights.names())
    screen.result_fact("model", source)
    screen.result_fact("family", str(config.get("model_type", "not stated")))
    screen.result_fact("parameters", count_of(count))
    for key, name in _SIZES.items():
        if key in config:
            screen.result_fact(name, f"{config[key]:,}")
    for key, value in _task_facts(config, ours).items():
        screen.result_fact(key, _plain(value))
    if _has_head(config):
        screen.next_command("predict", source, "A gorgeous film.")
    else:
        screen.next_command("train", "examples/sentiment.yaml", f"model_name_or_path={source}")


def _task_facts(config: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    facts = {"max_length": ours.get("max_length", config.get("max_position_embeddings"))}
    if _has_head(config):
        facts["labels"] = list(config.get("id2label", {}).values())
    return facts | {key: value for key, value in ours.items() if key not in facts}


def _has_head(config: dict[str, Any]) -> bool:
    return any("Classification" in str(name) for name in config.get("architectures") or ())


def _describe_data(path: str, text_column: str, label_column: str, screen: Screen) -> None:
    from tfaigc.data import read_records

    table = read_records(path)
    screen.result_fact("data", path)
    screen.result_fact("rows", f"{len(table):,}")
    screen.result_fact("columns", ", ".join(table.columns))
    if text_column in table.columns:
        texts = [str(text or "") for text in table.column(text_column)]
        lengths = sorted(len(text.split()) for text in texts)
        middle, high = lengths[len(lengths) // 2], lengths[len(lengths) * 95 // 100]
        screen.result_fact("words", f"half of the texts up to {middle}, 95 % up to {high}")
        screen.result_fact("duplicates", f"{len(texts) - len(set(texts)):,}")
        screen.result_fact("empty", f"{sum(not text.strip() for text in texts):,}")
    if label_column in table.columns:
        counts = Counter(str(label) for label in table.column(label_column))
        shown = ", ".join(f"{label} {count:,}" for label, count in counts.most_common(20))
        screen.result_fact("labels", shown + (" …" if len(counts) > 20 else ""))
    columns = [f"text_column={text_column}", f"label_column={label_column}"]
    screen.next_command("train", "examples/sentiment.yaml", f"train_data={path}", *columns)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        names = ", ".join(sorted(each.name for each in path.parent.iterdir())[:10])
        raise CheckpointError(
            f"A checkpoint directory must hold {path.name}. Received: {path.parent}, which holds "
            f"{names or 'nothing'}. Name the directory that it is in."
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} must be readable JSON. Received: {error}.") from error
    return content if isinstance(content, dict) else {}


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
