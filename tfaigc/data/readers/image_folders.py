"""Take images out of a directory with a sub-directory for each class."""

from __future__ import annotations

from pathlib import Path

from tfaigc.data.table import Table

ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp")
"""How the names of images end."""


def read_folder(directory: Path) -> Table | None:
    """Reads a directory with a sub-directory for each class.

    Args:
        directory: Images lie at any depth below the directories of their classes.

    Returns:
        ``image``, a path, and ``label``, the class, in the order of the names; what is no image by
        its name is left out. None where there are none, or where it is no directory.
    """
    if not directory.is_dir():
        return None
    files = sorted(path for path in directory.glob("*/**/*") if path.suffix.lower() in ENDINGS)
    if not files:
        return None
    rows = [{"image": str(path), "label": path.relative_to(directory).parts[0]} for path in files]
    numbers = [str(path.relative_to(directory)) for path in files]
    return Table(rows, str(directory), numbers, unit="file", columns=("image", "label"))
