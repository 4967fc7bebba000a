"""What is known about a model's answers, as numbers and as a page to read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tfaigc.errors import TfaigcError
from tfaigc.evaluation import markdown
from tfaigc.evaluation.example_scores import ExampleScores
from tfaigc.evaluation.plots.learning_curves import draw_learning_curves
from tfaigc.evaluation.plots.style import save_png
from tfaigc.evaluation.sections import Figure, Section, Table

# What predictions say of an example itself, whatever a model answers.
_ASKED = (
    *("text", "text_pair", "words", "question", "choices", "source", "target"),
    *("anchor", "positive"),
    *("reference", "references", "tokens"),
)


@dataclass(frozen=True)
class Report:
    """A model's results on some data; every kind of task makes one.

    Attributes:
        title: The heading of the page.
        metrics: Flat, under the field's usual names in snake case.
        sections: Text, tables and figures in the order of the page.
        predictions: One record per example, for `predictions.jsonl`.
        notes: Remarks about how to read the numbers, shown under them.
        headline: The metrics that sum the report up.
        examples: What each example adds to the most telling one; the metrics get its bounds,
            `_low` and `_high` behind its name, and `headline.json` has it for `compare`.

    Example:
        >>> report = Report("Results", metrics={"accuracy": 0.5})
        >>> print(report.to_markdown())
        # Results
        <BLANKLINE>
        | metric | value |
        | --- | ---: |
        | accuracy | 0.5000 |
        <BLANKLINE>
    """

    title: str
    metrics: Mapping[str, float]
    sections: Sequence[Section] = ()
    predictions: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    notes: Sequence[str] = ()
    headline: Sequence[str] = ()
    examples: ExampleScores | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Adds the bounds of the most telling metric."""
        if self.examples is None or f"{self.examples.metric}_low" in self.metrics:
            return
        name = self.examples.metric
        low, high = self.examples.interval()
        bounded = {**self.metrics, f"{name}_low": low, f"{name}_high": high}
        object.__setattr__(self, "metrics", bounded)
        note = f"{name}_low and {name}_high bound {name} with 95 %, by resampling examples."
        object.__setattr__(self, "notes", [*self.notes, note])

    def to_markdown(self) -> str:
        """Writes the page.

        Returns:
            GitHub-flavoured Markdown; figures are links to files that `save` writes.
        """
        blocks = [f"# {markdown.escape(self.title)}"]
        if self.metrics:
            rows = [(name, float(value)) for name, value in self.metrics.items()]
            blocks.append(Table("", ("metric", "value"), rows).to_markdown())
        blocks += [markdown.escape(note, limit=1000) for note in self.notes]
        for section in self.sections:
            if section.title:
                blocks.append(f"## {markdown.escape(section.title)}")
            blocks.append(section.to_markdown())
        return "\n\n".join(blocks) + "\n"

    def save(
        self,
        directory: str | Path,
        *,
        history: Sequence[Mapping[str, Any]] | None = None,
    ) -> Path:
        """Writes the page and the numbers.

        That is `report.md`, `metrics.json`, a PNG per figure, `predictions.jsonl`, and
        `headline.json`.

        Each file is made aside and then moved into place, `report.md` last, so that no file is
        ever half-written. Other files in the directory stay.

        Args:
            directory: Where to; it is made if need be.
            history: The records of a run's `history.jsonl`, for its learning curves.

        Returns:
            The path of `report.md`.

        Raises:
            TfaigcError: The directory cannot be written to.
        """
        directory = Path(directory)
        report = self._with_curves(history) if history else self
        try:
            directory.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".report-", dir=directory))
            try:
                for name in report._write_files(temporary):
                    os.replace(temporary / name, directory / name)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except OSError as error:
            raise TfaigcError(
                f"A report needs a directory that can be written to. Received: {directory} "
                f"({error.strerror or error}). Free disk space or choose another directory."
            ) from error
        return directory / "report.md"

    def _with_curves(self, history: Sequence[Mapping[str, Any]]) -> Report:
        curves = Figure(
            title="Learning curves",
            name="learning_curves",
            draw=lambda: draw_learning_curves(history),
            description="Losses and metrics over the epochs, on training and validation data",
        )
        return replace(self, sections=[*self.sections, curves])

    def _fingerprint(self) -> str:
        """Tells whether two reports are on the same examples."""
        asked = [{name: each.get(name) for name in _ASKED} for each in self.predictions]
        return hashlib.sha256(json.dumps(asked, default=str).encode()).hexdigest()

    def _write_files(self, directory: Path) -> list[str]:
        """Writes every file; gives their names in the order in which they may appear."""
        figures = [section for section in self.sections if isinstance(section, Figure)]
        for figure in figures:
            save_png(figure.draw(), directory / figure.file_name)
        metrics = {name: float(value) for name, value in self.metrics.items()}
        texts = {"metrics.json": json.dumps(metrics, indent=2) + "\n"}
        if self.examples is not None:
            content = {**self.examples.to_json(), "fingerprint": self._fingerprint()}
            texts["headline.json"] = json.dumps(content) + "\n"
        if self.predictions:
            lines = (json.dumps(record, ensure_ascii=False) for record in self.predictions)
            texts["predictions.jsonl"] = "".join(f"{line}\n" for line in lines)
        texts["report.md"] = self.to_markdown()
        for name, text in texts.items():
            # A lone surrogate, as from broken JSON, must not cost the whole report.
            encoded = text.encode("utf-8", errors="backslashreplace")
            (directory / name).write_bytes(encoded)
        return [*(figure.file_name for figure in figures), *texts]
