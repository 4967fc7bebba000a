"""What a checkpoint is made of, and what loading it would do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tfaigc.checkpoints import WeightFile, open_weights
from tfaigc.errors import CheckpointError, TokenizerError
from tfaigc.tokenizers import Tokenizer
from tfaigc.workflows.loading import load_tensorflow
from tfaigc.workflows.models import find_model
from tfaigc.workflows.screen import Screen, count_of, plain

# The keys of a tokenizer.json that hold a stage, and the keys under which a stage holds others.
_STAGES = ("normalizer", "pre_tokenizer", "model", "post_processor", "decoder")
_INNER = ("normalizers", "pretokenizers", "processors", "decoders")
_MOST_NAMES = 8


def describe_model(source: str, screen: Screen) -> None:
    """Describes a checkpoint.

    Args:
        source: Where it is.
        screen: Where the description goes.

    Raises:
        TfaigcError: It cannot be found, is broken, or is of no family that is known.
    """
    directory = find_model(source)
    load_tensorflow(screen)
    from tfaigc.families import read_config_file
    from tfaigc.families.keras_hub import is_keras_hub
    from tfaigc.families.preview import preview

    if is_keras_hub(read_config_file(directory)):
        _describe_preset(source, directory, screen)
        return
    found = preview(directory)
    with open_weights(directory) as weights:
        stored = dict(_weight_facts(weights))
    screen.result_fact("model", source)
    screen.result_fact("family", found.family.model_type)
    screen.result_fact("task heads", ", ".join(found.heads) or "none")
    for name, value in (stored | _sizes(found.config)).items():
        screen.result_fact(name, value)
    for name, value in _own_settings(directory, found.config).items():
        screen.result_fact(name, plain(value))
    if found.labels:
        screen.result_fact("labels", ", ".join(found.labels))
    if found.config.image is None:
        for name, value in _tokenizer_facts(directory):
            screen.result_fact(name, value)
    screen.result_fact("for task", found.task)
    screen.result_fact("made fresh", _some(found.fresh))
    screen.result_fact("left out", _some(found.left_out))
    if found.labels and found.task in ("text_classification", "token_classification"):
        screen.next_command("predict", source, "A gorgeous film.")
    elif found.task == "text_classification":
        screen.next_command("train", "examples/sentiment.yaml", f"model_name_or_path={source}")


def _describe_preset(source: str, directory: Path, screen: Screen) -> None:
    """Describes a network of KerasHub, which says of itself less than a checkpoint does."""
    from tfaigc.families.keras_hub import KerasHubBackbone

    backbone = KerasHubBackbone.from_directory(directory)
    size = sum(path.stat().st_size for path in directory.glob("*.weights.h5"))
    tasks = ", ".join(backbone.family.heads) or "none"
    settings = _read_settings(directory)
    screen.result_fact("model", source)
    screen.result_fact("family", backbone.family.model_type)
    screen.result_fact("parameters", count_of(backbone.count_params()))
    screen.result_fact("weights", f"{size / 1e6:.1f} MB in KerasHub's layout")
    screen.result_fact("hidden size", f"{backbone.config.hidden_size:,}")
    for key, value in settings.items():
        screen.result_fact(key, plain(value))
    if (directory / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_pretrained(directory)
        screen.result_fact("tokenizer", f"{tokenizer.vocabulary_size:,} tokens: KerasHub's own")
        screen.result_fact("in the graph", "yes, by KerasHub's operations")
    screen.result_fact("fits tasks", tasks)
    screen.result_fact("made fresh", "nothing" if settings else "the task's head")
    if settings:
        screen.next_command("predict", source, "A gorgeous film.")
    elif "text_classification" in backbone.family.heads:
        screen.next_command("train", "examples/sentiment.yaml", f"model_name_or_path={source}")


def _weight_facts(weights: WeightFile) -> Iterator[tuple[str, str]]:
    """Yields how many numbers there are, and how they are stored."""
    names = weights.names()
    yield "parameters", count_of(sum(math.prod(weights.shape(name)) for name in names))
    files = _files(weights.path)
    size = sum(path.stat().st_size for path in files)
    types = sorted({weights.dtype(name).name for name in names})
    count = f" ({len(files)} files)" if len(files) > 1 else ""
    described = f"{len(names)} tensors, {', '.join(types)}, {size / 1e6:.1f} MB"
    yield "weights", f"{weights.path.name}{count}: {described}"


def _files(path: Path) -> list[Path]:
    """Lists the files that hold the weights: the one that was opened, or those of an index."""
    if path.suffix != ".json":
        return [path]
    shards = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
    return [path.parent / shard for shard in sorted(shards)]


def _sizes(config: Any) -> dict[str, str]:
    sizes = {
        "hidden size": config.hidden_size,
        "layers": config.num_layers,
        "heads": config.num_heads,
    }
    if config.image is None:
        sizes["vocabulary"] = config.vocabulary_size
    facts = {name: f"{size:,}" for name, size in sizes.items()}
    if config.decoder is not None:
        facts["layers"] += f", then {config.decoder.num_layers:,} in the decoder"
    if config.image is not None:
        height, width = config.image.image_size
        facts["image"] = f"{height} by {width}, {config.image.num_channels} channels"
    return facts


def _own_settings(directory: Path, config: Any) -> dict[str, Any]:
    """Returns what `tfaigc.json` states, and the longest input."""
    longest = {} if config.image else {"max_length": config.max_length}
    settings = longest | _read_settings(directory)
    return {key: value for key, value in settings.items() if key != "labels"}


def _read_settings(directory: Path) -> dict[str, Any]:
    path = directory / "tfaigc.json"
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} must hold a JSON object. Received: {error}.") from error


def _tokenizer_facts(directory: Path) -> Iterator[tuple[str, str]]:
    """Yields the tokenizer's stages, and whether they can run in a graph."""
    try:
        tokenizer = Tokenizer.from_pretrained(directory)
    except TokenizerError as error:
        yield "tokenizer", f"none: {error}"
        return
    yield "tokenizer", f"{tokenizer.vocabulary_size:,} tokens"
    for stage in _STAGES:
        yield "tokenizer", f"{stage.replace('_', '-')}: {_stage(tokenizer.spec.get(stage))}"
    try:
        assert tokenizer.graph
    except TokenizerError as error:
        yield "in the graph", f"no. {error}"
    else:
        yield "in the graph", "yes"


def _stage(part: Mapping[str, Any] | None) -> str:
    """Writes a stage, and what it consists of.

    Example:
        >>> _stage({"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}]})
        'NFD, Lowercase'
    """
    if part is None:
        return "none"
    inner = next((part[key] for key in _INNER if key in part), None)
    return ", ".join(map(_stage, inner)) if inner is not None else str(part.get("type"))


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(names[:_MOST_NAMES]) or "nothing") + more
