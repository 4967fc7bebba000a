"""The run's numbers as lines of JSON, and its epochs as a table."""

from __future__ import annotations

import csv
import io
import json
import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfaigc.training.callbacks.run_records import RunRecords

_LOGGER = logging.getLogger(__name__)


class HistoryLog(RunRecords):
    """Appends one line per epoch, and one per so many steps, to a JSON Lines file.

    See `RunRecords` for what is in a line. A run that starts afresh empties the file; a resumed
    one drops the lines written after its checkpoint. Beside it, under the same name with the
    ending `.csv`, lies a table with a row for each epoch.

    Args:
        path: The file, usually `history.jsonl`.
        every_steps: How many steps a step line sums up; `None` writes epochs only.
    """

    def __init__(self, path: str | Path, *, every_steps: int | None = 10) -> None:
        super().__init__(every_steps=every_steps)
        self.path = Path(path)
        self._broken = False

    def begin(self) -> None:
        """Drops what a resumed run will write again."""
        self._broken = False
        self._guarded(self._drop_later_lines)

    def write(self, record: dict[str, Any]) -> None:
        """Appends a line."""

        def append() -> None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(record))
            if record["event"] == "epoch":
                self._write_table()

        self._guarded(append)

    def _drop_later_lines(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = [
            record
            for record in (read_history(self.path) if self.path.exists() else [])
            if self._is_earlier(record)
        ]
        _replace(self.path, "".join(_line(record) for record in kept))
        self._write_table()

    def _write_table(self) -> None:
        """Writes the table anew, so that it says what the lines say after any break."""
        epochs = [each for each in read_history(self.path) if each.pop("event", None) == "epoch"]
        columns = dict.fromkeys(name for record in epochs for name in record)
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, columns)
        table.writeheader()
        table.writerows(epochs)
        _replace(self.path.with_suffix(".csv"), text.getvalue())

    def _is_earlier(self, record: dict[str, Any]) -> bool:
        if record.get("event") == "epoch":
            return bool(record.get("epoch", 0) <= self._steps.epoch)
        in_earlier_epoch = record.get("epoch", math.inf) <= self._steps.epoch
        return bool(in_earlier_epoch or record.get("step", 0) <= self._steps.global_step)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Keeps a full disk from ending the run."""
        if self._broken:
            return
        try:
            action()
        except OSError as error:
            self._broken = True
            _LOGGER.warning(
                "%s cannot be written (%s): training goes on without it. "
                "Free disk space or check the directory's permissions.",
                self.path,
                error.strerror or error,
            )


def read_history(path: str | Path) -> list[dict[str, Any]]:
    """Reads a history file.

    Args:
        path: What `HistoryLog` wrote. A last line that was cut off, as by a power failure, is
            left out.

    Returns:
        The records, oldest first.
    """
    records = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _replace(path: Path, text: str) -> None:
    """Writes a file so that it is whole at any time."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="")
    os.replace(temporary, path)


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"
