"""What sentence-transformers keeps beside a checkpoint: read without running any, and written."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.layers.pooling import POOLING_MODES

_log = logging.getLogger("tfaigc")
_PACKAGE = "sentence_transformers.models"
_PREFIX = "pooling_mode_"
_SUFFIX = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens"}
_KEYS = {
    f"{_PREFIX}{_SUFFIX.get(mode, mode if mode == 'lasttoken' else mode + '_tokens')}": mode
    for mode in POOLING_MODES
}


@dataclass(frozen=True)
class SentenceModules:
    """How a checkpoint takes tokens to one vector for each text.

    Args:
        modes: See ``layers.pooling.SentencePooling``.
        normalize: Whether vectors are scaled to length 1.
        max_length: Most tokens of a text, special tokens included; None: what the model allows.
    """

    modes: tuple[str, ...] = ("mean",)
    normalize: bool = False
    max_length: int | None = None


def read_sentence_modules(directory: Path) -> SentenceModules:
    """Reads ``modules.json`` and the files that it names.

    A checkpoint without it is pooled by the mean and not normalized, as sentence-transformers
    itself does with one.

    Args:
        directory: A checkpoint in Hugging Face layout.

    Returns:
        The settings.

    Raises:
        CheckpointError: A file is missing or broken, or a module lies outside of the directory.
        ConfigError: A module, or a way to pool, is not supported.
    """
    max_length = _read_max_length(directory)
    if not (directory / "modules.json").exists():
        _log.info("Pooling by the mean of all tokens: the checkpoint has no modules.json.")
        return SentenceModules(max_length=max_length)
    modes: tuple[str, ...] = ("mean",)
    normalize = False
    for module in _read_list(directory / "modules.json"):
        # Only the last part of the class's name counts; nothing is imported.
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind == "Pooling":
            modes = _read_modes(_inside(directory, str(module.get("path", ""))) / "config.json")
        elif kind == "Normalize":
            normalize = True
        elif kind != "Transformer":
            raise ConfigError(
                "modules.json may name the modules Transformer, Pooling and Normalize. "
                f"Received: {module.get('type')!r}. Take a checkpoint without this module."
            )
        elif normalize:
            raise ConfigError("In modules.json, Transformer must stand before Normalize.")
    return SentenceModules(modes, normalize, max_length)


def write_sentence_modules(directory: Path, modules: SentenceModules, *, hidden_size: int) -> None:
    """Writes ``modules.json`` and the files that it names, beside a checkpoint.

    Args:
        directory: The checkpoint's.
        modules: The settings.
        hidden_size: Width of the tokens' activations.
    """
    kinds = {"": "Transformer", "1_Pooling": "Pooling"}
    kinds |= {"2_Normalize": "Normalize"} if modules.normalize else {}
    listed = [
        {"idx": index, "name": str(index), "path": path, "type": f"{_PACKAGE}.{kind}"}
        for index, (path, kind) in enumerate(kinds.items())
    ]
    pooling = {key: mode in modules.modes for key, mode in _KEYS.items()}
    for path in kinds:
        (directory / path).mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("modules.json", listed),
        ("1_Pooling/config.json", {"word_embedding_dimension": hidden_size, **pooling}),
        (
            "sentence_bert_config.json",
            {"max_seq_length": modules.max_length, "do_lower_case": False},
        ),
    ):
        text = json.dumps(content, indent=2)
        (directory / name).write_text(text + "\n", encoding="utf-8")


def _read_modes(path: Path) -> tuple[str, ...]:
    stated = _read_object(path)
    named = stated.get("pooling_mode")
    if named is not None:
        chosen = [named] if isinstance(named, str) else list(named)
    else:
        chosen = [
            _KEYS.get(key, key.removeprefix(_PREFIX))
            for key, value in stated.items()
            if key.startswith(_PREFIX) and value
        ]
    if not chosen or set(chosen) - set(POOLING_MODES):
        raise ConfigError(
            f"{path} must name one or more of the pooling modes {', '.join(POOLING_MODES)}. "
            f"Received: {', '.join(map(str, chosen)) or 'none'}. Correct it, or take another "
            "checkpoint."
        )
    return tuple(mode for mode in POOLING_MODES if mode in chosen)


def _read_max_length(directory: Path) -> int | None:
    path = directory / "sentence_bert_config.json"
    value = _read_object(path).get("max_seq_length") if path.exists() else None
    if value is not None and (not isinstance(value, int) or value < 1):
        raise ConfigError(f"max_seq_length in {path} must be a positive number. Received: {value}.")
    return value


def _inside(directory: Path, name: str) -> Path:
    path = (directory / name).resolve()
    if not path.is_relative_to(directory.resolve()):
        raise CheckpointError(
            f"A module's path in modules.json must lie inside of {directory}. Received: {name!r}. "
            "Correct modules.json."
        )
    return directory / name


def _read_list(path: Path) -> list[dict[str, Any]]:
    content = _read(path)
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise CheckpointError(f"{path} must hold a list of modules. Fetch it again.")
    return content


def _read_object(path: Path) -> dict[str, Any]:
    content = _read(path)
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} must hold a JSON object. Fetch it again.")
    return content


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON: {error}. Fetch it again.") from error
