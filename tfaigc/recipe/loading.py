"""A recipe file and overrides into a checked `Recipe`."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tfaigc.errors import RecipeError, suggestion
from tfaigc.recipe.kinds import WrongValueError
from tfaigc.recipe.other_names import OTHER_NAMES
from tfaigc.recipe.schema import ALTERNATIVES, Recipe, keys
from tfaigc.recipe.values import Entry, NotFlatError, read_mapping, read_value


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Reads a recipe and reports everything that is wrong with it at once.

    Args:
        path: A YAML file of ``key: value`` lines.
        overrides: ``key=value`` pairs that win over the file; the key may carry its heading:
            ``training.learning_rate=3e-5``. The last of two for one key wins.

    Returns:
        The recipe.

    Raises:
        RecipeError: The file cannot be read, or it or an override has faults; all are listed.
    """
    try:
        entries, faults = read_mapping(_read(Path(path)))
    except yaml.YAMLError as error:
        raise RecipeError(_syntax_message(path, error)) from error
    winning: dict[str, Entry] = {}
    for override in overrides:
        fault = _apply(override, winning)
        if fault:
            faults.append(fault)
    beaten = {other for pair in ALTERNATIVES for other in pair if set(pair) & winning.keys()}
    kept = {key: entry for key, entry in entries.items() if key not in beaten}
    return _build({**kept, **winning}, faults, str(path))


def make_recipe(settings: Mapping[str, object], name: str = "The recipe") -> Recipe:
    """Builds a checked recipe from Python values.

    Args:
        settings: Values by key.
        name: What to call the recipe in messages.

    Returns:
        The recipe.

    Raises:
        RecipeError: There are faults; all are listed.

    Example:
        >>> recipe = make_recipe(
        ...     {"model_name_or_path": "model", "train_data": "a.csv", "output_dir": "runs/a"}
        ... )
        >>> recipe.num_train_epochs
        3
    """
    return _build({key: Entry.of(value) for key, value in settings.items()}, [], name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        there = [each.name for each in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        near = suggestion(path.name, there)
        raise RecipeError(
            f"A recipe must be a YAML file. Received: {str(path)!r}, which does not exist.{near}"
            + ("" if near else " Check the path.")
        ) from None
    except IsADirectoryError:
        raise RecipeError(
            f"A recipe must be a YAML file. Received: {str(path)!r}, which is a directory. "
            "Name the file in it."
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RecipeError(
            f"A recipe must be UTF-8 text. Received: {path}, line {line}, with the byte "
            f"0x{error.object[error.start]:02x}. Save the file as UTF-8."
        ) from None
    except OSError as error:
        raise RecipeError(
            f"A recipe must be readable. Received: {path} ({error.strerror}). "
            "Check the path and its permissions."
        ) from None


def _syntax_message(path: str | Path, error: yaml.YAMLError) -> str:
    place, problem = "", str(error).splitlines()[0]
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        place, problem = f", line {error.problem_mark.line + 1}", error.problem or problem
    return (
        f"A recipe must hold lines of the form 'key: value'. Received: {path}{place}: {problem}. "
        "Mend that line; a value with ': ' or ' #' in it needs quotes."
    )


def _apply(override: str, entries: dict[str, Entry]) -> str | None:
    """Adds one override to the entries; returns its fault, if any."""
    place = f"override {override!r}"
    name, equals, value = override.partition("=")
    heading, dot, key = name.strip().rpartition(".")
    if not equals or not key:
        return f"{place}: must have the form key=value, as in learning_rate=3e-5."
    key = key.lstrip("-")
    field = keys().get(key)
    if dot and field is not None and heading.lower() != field.metadata["heading"]:
        return f"{place}: {key} stands under {field.metadata['heading']!r}, not {heading!r}."
    try:
        entries[key] = read_value(value, place)
    except NotFlatError:
        return f"{place}: the value must be a word, a number or a list like [a, b]."
    return None


def _build(entries: Mapping[str, Entry], faults: list[str], name: str) -> Recipe:
    values: dict[str, Any] = {}
    known = keys()
    for key, entry in entries.items():
        if key not in known:
            faults.append(_label(key, entry) + _unknown(key, known))
            continue
        try:
            values[key] = known[key].metadata["kind"].parse(entry)
        except WrongValueError as error:
            rule = known[key].metadata["kind"].rule
            received = "nothing" if entry.raw in ("", "None") else repr(entry.value)
            move = f" {error}" if str(error) else ""
            faults.append(f"{_label(key, entry)}must be {rule}. Received: {received}.{move}")
    for key, field in known.items():
        if field.default is dataclasses.MISSING and key not in entries:
            faults.append(f"{key}: is missing. Add it: {field.metadata['meaning']}.")
    faults.extend(_conflicts(values, entries))
    if faults:
        raise RecipeError(_message(name, faults))
    return Recipe(**values)


def _label(key: str, entry: Entry) -> str:
    return f"{entry.where}, {key}: " if entry.where else f"{key}: "


def _unknown(key: str, known: Mapping[str, object]) -> str:
    other = OTHER_NAMES.get(key.lower().replace("-", "_"))
    if other:
        return f"there is no such key; here it is called {other!r}."
    near = suggestion(key, known)
    return "there is no such key." + (near or f" The keys are: {', '.join(known)}.")


def _conflicts(values: Mapping[str, Any], entries: Mapping[str, Entry]) -> list[str]:
    """What is wrong between keys that are each right."""
    given = {key for key, entry in entries.items() if entry.value is not None}
    faults = [
        f"{winner}, {other}: both are given. Keep one of the two."
        for winner, other in ALTERNATIVES
        if {winner, other} <= given
    ]
    if not {"model_name_or_path", "model_type", "config_name"} & given:
        meaning = keys()["model_name_or_path"].metadata["meaning"]
        faults.append(
            f"model_name_or_path: is missing. Add it: {meaning}; or model_type, to start from "
            "nothing."
        )
    if values.get("cache_features") and values.get("freeze_layers") != "all":
        faults.append("cache_features: needs freeze_layers: all, so that features stay the same.")
    if values.get("cache_features") and values.get("packed"):
        faults.append(
            "cache_features, packed: features have no rows to share. Keep one of the two."
        )
    held_out = sum(
        values.get(f"{part}_fraction", 0.1)
        for part in ("validation", "test")
        if f"{part}_data" not in given
    )
    if held_out >= 1:
        faults.append(
            "validation_fraction, test_fraction: together they must be below 1. "
            f"Received: {held_out:g}."
        )
    output, export = values.get("output_dir"), values.get("export_dir")
    if output and export and Path(output).resolve() == Path(export).resolve():
        faults.append(
            f"export_dir: must differ from output_dir. Received: {export!r} for both. "
            "Export below savedmodels/, for example."
        )
    return faults


def _message(name: str, faults: Sequence[str]) -> str:
    if len(faults) == 1:
        return f"{name}: {faults[0]}"
    listed = "\n".join(f"  {fault}" for fault in sorted(faults, key=_line))
    return f"{name} has {len(faults)} faults:\n{listed}"


def _line(fault: str) -> float:
    """Where in the file a fault stands; what stands nowhere comes last."""
    found = re.match(r"line (\d+)", fault)
    return int(found.group(1)) if found else math.inf
