"""Imports point only to lower rows, and units of one row do not import each other."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "tfaigc"

ROWS = [
    {"directories", "errors", "version"},
    {"layers", "sources", "tagging"},
    {"checkpoints", "tokenizers", "models"},
    {"families", "data", "training", "evaluation", "generation", "export", "deployment"},
    {"tasks"},
    {"recipe"},
    {"workflows"},
    {"cli", "__init__", "__main__"},
]
ROW_OF = {unit: row for row, units in enumerate(ROWS) for unit in units}

# `__main__` is one line that hands over to `cli`.
ALLOWED = {("__main__", "cli")}

# An island knows SavedModels on disk; it may raise tfaigc's errors and be started by the top rows.
ISLANDS = {"serving"}
ISLAND_MAY_IMPORT = ROWS[0]
MAY_IMPORT_ISLAND = ROWS[6] | ROWS[7]

# The same model code must also run on Keras's other backends.
BACKEND_FREE = {"layers", "models"}
BACKEND_FREE_MAY_IMPORT = {"keras", "numpy", "tfaigc"} | sys.stdlib_module_names


def module_name(path: Path, package: Path) -> tuple[str, ...]:
    """The dotted name of a file as a tuple: ``("tfaigc", "data", "split")``."""
    return (package.name, *path.relative_to(package).with_suffix("").parts)


def imported_names(path: Path, package: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every import in a file, wherever it stands, as (line, dotted name)."""
    here = module_name(path, package)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) - node.level] if node.level else ()
            module = (*start, *(node.module.split(".") if node.module else ()))
            for alias in node.names:
                yield node.lineno, (*module, alias.name)
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else ""
            called = function.id if isinstance(function, ast.Name) else called
            name = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(name, ast.Constant):
                yield node.lineno, tuple(str(name.value).split("."))


def unit_of(name: tuple[str, ...], package: Path) -> str:
    """The unit that a dotted name belongs to; names of the package itself live in `__init__`."""
    if len(name) == 1:
        return "__init__"
    is_unit = (package / name[1]).is_dir() or (package / f"{name[1]}.py").is_file()
    return name[1] if is_unit else "__init__"


def is_allowed(unit: str, target: str) -> bool:
    if unit == target or (unit, target) in ALLOWED:
        return True
    if unit in ISLANDS:
        return target in ISLAND_MAY_IMPORT
    if target in ISLANDS:
        return unit in MAY_IMPORT_ISLAND
    return target in ROW_OF and ROW_OF[target] < ROW_OF[unit]


def violations(package: Path) -> list[str]:
    """Every import that breaks a rule, as a line for the reader."""
    found = []
    for path in sorted(package.rglob("*.py")):
        unit = module_name(path, package)[1]
        if unit not in ROW_OF and unit not in ISLANDS:
            found.append(f"{path.relative_to(package)}: {unit} stands in no row")
            continue
        for line, name in imported_names(path, package):
            place = f"{path.relative_to(package)}:{line}"
            if unit in BACKEND_FREE and name[0] not in BACKEND_FREE_MAY_IMPORT:
                found.append(f"{place}: {unit} must not import {name[0]}")
            if name[0] != package.name:
                continue
            target = unit_of(name, package)
            if not is_allowed(unit, target):
                found.append(f"{place}: {unit} must not import {target}")
    return found


def test_imports_point_only_to_lower_rows() -> None:
    assert violations(PACKAGE) == []


def test_every_row_but_the_islands_is_looked_at() -> None:
    units = {module_name(path, PACKAGE)[1] for path in PACKAGE.rglob("*.py")}
    assert units >= {"errors", "layers", "models", "families", "tasks", "cli", "__init__"}


def plant(root: Path, **files: str) -> Path:
    """Makes a package of clean units and puts the given text into some of them."""
    package = root / "tfaigc"
    clean = ["errors.py", "sources/__init__.py", "models/__init__.py", "data/__init__.py"]
    clean += ["training/__init__.py", "tasks/text.py", "serving/server.py", "cli.py", "__init__.py"]
    for name in clean:
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("import os\n", encoding="utf-8")
    for name, text in files.items():
        path = package / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("tasks__text", "from tfaigc.errors import ConfigError\nfrom ..data import split\n"),
        ("tasks__text", "from . import helpers\nfrom tfaigc.tasks.helpers import one\n"),
        ("cli", "import tfaigc.tasks.text\nfrom tfaigc import errors\nimport tensorflow\n"),
        ("cli", "from tfaigc.serving import server\n"),
        ("models__encoder", "import keras\nimport math\nfrom keras import ops\n"),
        ("serving__server", "from tfaigc.errors import ExportError\n"),
    ],
)
def test_right_imports_pass(tmp_path: Path, unit: str, text: str) -> None:
    assert violations(plant(tmp_path, **{unit: text})) == []


@pytest.mark.parametrize(
    ("unit", "text", "fault"),
    [
        ("data__split", "from tfaigc.tasks import text\n", "data must not import tasks"),
        ("data__split", "import tfaigc.training\n", "data must not import training"),
        ("data__split", "from ..training import loops\n", "data must not import training"),
        ("data__split", "from .. import training\n", "data must not import training"),
        ("data__split", "from tfaigc import training\n", "data must not import training"),
        ("data__split", "from tfaigc import __version__\n", "data must not import __init__"),
        ("data__split", "import tfaigc\n", "data must not import __init__"),
        ("data__deep__split", "from ...tasks import text\n", "data must not import tasks"),
        ("data__split", "def f():\n    import tfaigc.tasks\n", "data must not import tasks"),
        (
            "data__split",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tfaigc.tasks import T\n",
            "data must not import tasks",
        ),
        (
            "data__split",
            "import importlib\nimportlib.import_module('tfaigc.tasks.text')\n",
            "data must not import tasks",
        ),
        ("models__encoder", "import tensorflow as tf\n", "models must not import tensorflow"),
        ("models__encoder", "def f():\n    from torch import nn\n", "models must not import torch"),
        ("data__split", "from tfaigc.serving import server\n", "data must not import serving"),
        ("serving__server", "from tfaigc.export import read\n", "serving must not import"),
        ("tasks__text", "from tfaigc.cli import main\n", "tasks must not import cli"),
        ("helpers", "import os\n", "helpers stands in no row"),
    ],
)
def test_planted_faults_are_found(tmp_path: Path, unit: str, text: str, fault: str) -> None:
    found = violations(plant(tmp_path, **{unit: text}))
    assert len(found) == 1
    assert fault in found[0]
