"""A directory of files that appears whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tfaigc.directories import what_is_there, whole_directory
from tfaigc.errors import ConfigError


def refuse_what_is_there(directory: Path) -> None:
    """Makes sure that a directory is new or empty.

    Args:
        directory: Where files are to go.

    Raises:
        ConfigError: There is something.
    """
    found = what_is_there(directory)
    if found:
        raise ConfigError(
            "The directory of a deployment must be new or empty, so that nothing of yours is "
            f"replaced. Received: {directory}, which {found}. Pass another --out."
        )


def write_files(directory: Path, files: Mapping[str, str]) -> None:
    """Writes files under a temporary name, and gives the directory its own when it is whole.

    Args:
        directory: Where they go; new or empty.
        files: Their contents by path.

    Raises:
        ConfigError: There is something.
    """
    refuse_what_is_there(directory)
    with whole_directory(directory) as temporary:
        for name, text in files.items():
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
