"""The command `tfaigc deploy`, and directories that look like exports."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from tfaigc.cli import cli


def deploy(*arguments: object) -> Result:
    """Types the command."""
    return CliRunner().invoke(cli, ["deploy", *map(str, arguments)])


def make_export(directory: Path, *versions: int, tensorflow: str = "2.21.0") -> Path:
    """Writes what `deploy` reads of an export, its graph left out."""
    for version in versions:
        extra = directory / str(version) / "assets.extra"
        extra.mkdir(parents=True)
        (extra.parent / "saved_model.pb").write_bytes(b"")
        told = {"export": {"tensorflow_version": tensorflow}}
        (extra / "tfaigc.json").write_text(json.dumps(told))
    return directory
