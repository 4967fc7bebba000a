"""tokenizer.json built from the vocabulary files of older checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfaigc.errors import TokenizerError

# Files from which transformers can build a tokenizer.json.
_VOCABULARIES = ("vocab.txt", "vocab.json", "*.model")


def build(directory: Path) -> str:
    """Lets transformers build tokenizer.json from vocabulary files; executes none of their code.

    Args:
        directory: A directory in Hugging Face layout.

    Returns:
        tokenizer.json, as text.

    Raises:
        TokenizerError: There is no vocabulary, or none that transformers can use.
    """
    entries = _read_vocabulary(directory)
    from transformers import AutoTokenizer, BertTokenizer

    options = _read_as_bert(directory, entries[1])
    try:
        built = (AutoTokenizer if options is None else BertTokenizer).from_pretrained(
            str(directory),
            use_fast=True,
            local_files_only=True,
            trust_remote_code=False,
            **(options or {}),
        )
    except Exception as error:  # transformers raises whatever its parts raise
        raise _failure(directory, f"{type(error).__name__}: {error}".splitlines()[0]) from error
    backend = getattr(built, "backend_tokenizer", None)
    if backend is None:
        raise TokenizerError(
            f"A tokenizer must have a fast version in transformers. Received: {directory}, whose "
            f"{type(built).__name__} is written in Python only. Add a tokenizer.json."
        )
    _check_complete(directory, entries, backend, type(built).__name__)
    text: str = backend.to_str()
    return text


def _read_as_bert(directory: Path, entries: set[str] | int) -> dict[str, Any] | None:
    """Tells with which options BERT's tokenizer reads ALBERT's WordPiece vocabulary.

    Some ALBERTs come with one instead of a SentencePiece model, which is all that transformers'
    class for ALBERT knows. None for everything else.
    """
    stated = [_read_object(directory / name) for name in ("tokenizer_config.json", "config.json")]
    wordpiece = not isinstance(entries, int) and any(entry.startswith("##") for entry in entries)
    albert = stated[1].get("model_type") == "albert" and "tokenizer_class" not in stated[0]
    if isinstance(entries, int) or not (wordpiece and albert):
        return None
    if "do_lower_case" in stated[0]:
        return {}
    words = [entry for entry in entries if not entry.startswith("[")]
    return {"do_lower_case": all(word == word.lower() for word in words)}


def _read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON object; empty where there is no file."""
    try:
        content = json.loads(_read(path)) if path.is_file() else {}
    except json.JSONDecodeError as error:
        raise _broken(path, "a JSON object", error) from error
    return content if isinstance(content, dict) else {}


def _failure(directory: Path, reason: str) -> TokenizerError:
    return TokenizerError(
        f"tokenizer.json is missing in {directory} and transformers cannot build it "
        f"({reason}). Add tokenizer.json, or a tokenizer_config.json that names "
        "tokenizer_class."
    )


def _check_complete(
    directory: Path, entries: tuple[str, set[str] | int], backend: Any, kind: str
) -> None:
    """Refuses a tokenizer that was built without looking at the vocabulary.

    transformers builds an empty one where a class has no use for the files that are there.
    """
    name, expected = entries
    vocabulary = backend.get_vocab(with_added_tokens=True)
    if isinstance(expected, int):
        missing = max(0, expected - len(vocabulary))
    else:
        missing = len(expected.difference(vocabulary))
    if missing:
        raise TokenizerError(
            f"A tokenizer must have all entries of its vocabulary. Received: {kind} without "
            f"{missing} of those in {directory / name}. Add tokenizer.json, or a "
            "tokenizer_config.json whose tokenizer_class uses that file."
        )


def _read_vocabulary(directory: Path) -> tuple[str, set[str] | int]:
    """Reads a vocabulary's file name with its entries, or how many a SentencePiece model has."""
    models = sorted(directory.glob("*.model"))
    if models:
        return models[0].name, _count_pieces(models[0])
    path = directory / "vocab.txt"
    if path.is_file():
        lines = _read(path).split("\n")
        # Entries are told apart by line feeds alone; the last line need not have one.
        return path.name, {line.rstrip("\r") for line in lines} - {""}
    path = directory / "vocab.json"
    if path.is_file():
        return path.name, _read_pairs(path)
    if list(directory.glob("*.gguf")):
        raise TokenizerError(
            "A GGUF file must come with the tokenizer.json of the checkpoint that it was made of: "
            f"the one inside leaves out how texts are split. Received: {directory} without. "
            "Put the file beside it."
        )
    present = ", ".join(sorted(each.name for each in directory.iterdir())) or "nothing"
    raise TokenizerError(
        "A checkpoint must have tokenizer.json or a vocabulary "
        f"({', '.join(_VOCABULARIES)}). Received: {directory} with {present}. "
        "Pass a source that has one."
    )


def _read_pairs(path: Path) -> set[str]:
    if not (path.parent / "merges.txt").is_file() and not list(path.parent.glob("*.spm")):
        raise TokenizerError(
            f"vocab.json must come with merges.txt. Received: {path} alone. "
            "Add merges.txt, or tokenizer.json."
        )
    try:
        return set(json.loads(_read(path)))
    except (json.JSONDecodeError, TypeError) as error:
        raise _broken(path, "a JSON object of tokens with their ids", error) from error


def _count_pieces(path: Path) -> int:
    from sentencepiece import SentencePieceProcessor

    try:
        return int(SentencePieceProcessor(model_file=str(path)).get_piece_size())
    except Exception as error:  # sentencepiece raises what its C++ part throws
        raise _broken(path, "a SentencePiece model", error) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(path, "readable UTF-8", error) from error


def _broken(path: Path, rule: str, error: Exception) -> TokenizerError:
    reason = f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
    return TokenizerError(
        f"{path.name} must be {rule}. Received: {path} ({reason}). "
        "Download it again, or pass another source."
    )
