"""Sources that are files and directories of this machine."""

from __future__ import annotations

from pathlib import Path

from tfaigc.errors import SourceError, suggestion


def local_directory(source: str | Path) -> Path:
    """Checks a path that must be a directory.

    Args:
        source: The path; `~` is the home directory.

    Returns:
        The directory.

    Raises:
        SourceError: It is none.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        raise SourceError(
            f"A model source must be a directory. Received: the file {path}. Pass {path.parent}."
        )
    raise SourceError(
        f"A model source must exist. Received: {path}.{_near(path)} Check the path; a hub id looks "
        "like org/name, a package's files like pypi://NAME==VERSION/PATH."
    )


def local_file(source: str | Path) -> Path:
    """Checks a path that must be a file.

    Args:
        source: The path; `~` is the home directory.

    Returns:
        The file.

    Raises:
        SourceError: It is none.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        raise SourceError(f"A file is needed. Received: the directory {path}. Pass a file in it.")
    raise SourceError(f"A file must exist. Received: {path}.{_near(path)} Check the path.")


def _near(path: Path) -> str:
    """Suggests a sibling whose name is near."""
    try:
        siblings = [sibling.name for sibling in path.parent.iterdir()]
    except OSError:
        return f" There is no directory {path.parent} either."
    return suggestion(path.name, siblings)
