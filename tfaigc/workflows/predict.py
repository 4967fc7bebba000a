"""``tfaigc predict``: texts into answers, one JSON line each."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

from tfaigc.errors import DataError
from tfaigc.workflows.files import whole_file
from tfaigc.workflows.models import load_model
from tfaigc.workflows.run_directory import check_writable
from tfaigc.workflows.saved_models import ask_saved_model, is_saved_model
from tfaigc.workflows.screen import Screen

Question = Mapping[str, Any]


def predict(
    model: str,
    texts: Sequence[str],
    *,
    source: str | None = None,
    output: str | None = None,
    context: str | None = None,
    choices: Sequence[str] = (),
    columns: Mapping[str, str | None] = MappingProxyType({}),
    batch_size: int = 64,
    screen: Screen,
) -> None:
    """Asks a model, or an exported SavedModel, about texts.

    Args:
        model: The model's source, or the directory of an export or of one version of it.
        texts: The texts; empty where ``source`` has them.
        source: A CSV, TSV or JSONL file; a TXT file or ``-`` (stdin) with one text a line.
        output: The file for the answers; stdout without it.
        context: Makes the texts questions: where their answers stand.
        choices: Makes the texts questions: what they may be answered by.
        columns: Our names of fields to the source's columns; see ``_records``.
        batch_size: Texts per step.
        screen: Where remarks go.

    Raises:
        TfaigcError: The model or the texts cannot be used.
    """
    if output is not None:
        check_writable(Path(output).absolute().parent, "The directory of --output")
    if context is not None and choices:
        raise DataError(
            "A question has a context or choices. Received: --context and --choice. Give one."
        )
    questions = _questions(texts, source, columns)
    given: dict[str, Any] = {} if context is None else {"context": context}
    given |= {"choices": list(choices)} if choices else {}
    if given:
        questions = [
            {"question": each.get("question", each.get("text")), **given} for each in questions
        ]
    if is_saved_model(model):
        answers = ask_saved_model(model, questions, batch_size=batch_size)
    else:
        loaded = load_model(model, screen=screen)
        answers = loaded.infer([dict(each) for each in questions], batch_size=batch_size)
    with _open(output) as file:
        for question, answer in zip(questions, answers, strict=True):
            file.write(json.dumps({**question, **_rounded(answer)}, ensure_ascii=False) + "\n")
    if output is not None:
        screen.fact("written", f"{len(questions):,} answers to {output}")
    if is_saved_model(model):
        screen.next_command("info", model)
    else:
        screen.next_command("export", model, f"savedmodels/{_short_name(model)}")


def _questions(
    texts: Sequence[str], source: str | None, columns: Mapping[str, str | None]
) -> list[Question]:
    if source is None:
        return _checked([(f"text {number}", text) for number, text in enumerate(texts, 1)])
    if source == "-":
        return _checked(_lines(sys.stdin.buffer.read(), "stdin"))
    if Path(source).suffix.lower() == ".txt":
        return _checked(_lines(_read(Path(source)), source))
    return _records(source, columns)


def _records(source: str, columns: Mapping[str, str | None]) -> list[Question]:
    """Reads a file of words, of questions with choices or contexts, of sources, or of texts.

    Texts go first, unless a column of the others is named.
    """
    from tfaigc.data import check_choices, check_texts, check_words, read_records

    named = {field: column for field, column in columns.items() if column not in (None, field)}
    table = read_records(source, columns=named)
    found = set(table.columns)
    if "words" in found and ("words" in named or "text" not in found):
        table = check_words(table)
        return [{field: row[field] for field in ("text", "words")} for row in table.rows]
    if {"question", "choices"} <= found and ("question" in named or "text" not in found):
        table = check_choices(table, with_labels=False)[0]
        return [{field: row[field] for field in ("question", "choices")} for row in table.rows]
    if "image" in found and ("image" in named or "text" not in found):
        return [{"image": str(row["image"])} for row in table.rows]
    fields = ("text", "text_pair") if "text_pair" in found else ("text",)
    if {"question", "context"} <= found and ("question" in named or "text" not in found):
        fields = ("question", "context")
    if "source" in found and ("source" in named or "text" not in found):
        table = check_texts(table, "source")
        return [{"text": row["source"]} for row in table.rows]
    table = check_texts(table, *fields)
    return [{field: row[field] for field in fields} for row in table.rows]


def _checked(texts: Sequence[tuple[str, str]]) -> list[Question]:
    """Refuses what has nothing in it; takes places and texts."""
    for where, text in texts:
        if not text.strip():
            raise DataError(f"{where}: a text must not be empty. Received: {text!r}. Leave it out.")
    if not texts:
        raise DataError("There must be at least one text. Received: none. Give one on a line.")
    return [{"text": text} for _, text in texts]


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise DataError(f"{path} must be an existing file. Received: no such file. Check the path.")
    return path.read_bytes()


def _lines(content: bytes, name: str) -> list[tuple[str, str]]:
    lines = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        try:
            lines.append((f"{name}, line {number}", line.decode()))
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}, line {number}: text must be UTF-8. Received: the byte "
                f"0x{line[error.start]:02x}. Save it as UTF-8."
            ) from error
    return lines


def _rounded(answer: Any) -> Any:
    """Shortens floats to what float32 can tell apart."""
    if isinstance(answer, Mapping):
        return {key: _rounded(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_rounded(value) for value in answer]
    return round(answer, 6) if isinstance(answer, float) else answer


@contextlib.contextmanager
def _open(output: str | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with whole_file(Path(output)) as file:
        yield file


def _short_name(model: str) -> str:
    """A name for an export: that of the run which the model lies in."""
    path = Path(model).absolute()
    return path.parent.name if path.name == "model" else path.name.split("@")[0]
