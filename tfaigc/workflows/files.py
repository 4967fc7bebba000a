"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Opens a text file that takes its name only when everything has been written.

    Args:
        path: The file; its directory must exist.

    Yields:
        The file, UTF-8.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     with whole_file(Path(directory, "a.txt")) as file:
        ...         _ = file.write("whole")
        ...     Path(directory, "a.txt").read_text()
        'whole'
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            yield file
        # mkstemp makes private files; this one is to be as public as any other.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Writes a text file that is whole at any time.

    Args:
        path: The file; its directory must exist.
        text: What goes in.
    """
    with whole_file(path) as file:
        file.write(text)
